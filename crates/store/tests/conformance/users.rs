//! Users, and what they get by logging in.

use std::time::Duration;

use fathom_store::{Time, Token, User, UserChange};

use crate::place::on_both;

const LIFETIME: Duration = Duration::from_secs(600);

fn user(name: &str) -> User {
    User {
        name: name.to_owned(),
        password: format!("hash of {name}"),
        role: "operator".to_owned(),
        namespaces: Some(vec!["north".to_owned()]),
        created_by: "test".to_owned(),
        created_at: Time(0),
        changed_at: Time(0),
        login_at: None,
        disabled_at: None,
    }
}

fn session(of: &User, id: &str) -> Token {
    Token {
        id: id.to_owned(),
        name: of.name.clone(),
        digest: format!("digest of {id}"),
        role: of.role.clone(),
        namespaces: of.namespaces.clone(),
        created_by: "login".to_owned(),
        created_at: Time(0),
        expires_at: None,
        revoked_at: None,
        used_at: None,
        owner: Some(of.name.clone()),
    }
}

on_both! {
    async fn users_are_kept_once_and_change(place) {
        let store = place.open().await;
        assert!(store.add_user(&user("ann")).await.unwrap());
        assert!(!store.add_user(&User { role: "admin".to_owned(), ..user("ann") }).await.unwrap());
        assert!(store.add_user(&User { namespaces: None, ..user("bob") }).await.unwrap());
        let ann = store.user("ann").await.unwrap().unwrap();
        assert_eq!((ann.role.as_str(), ann.namespaces), ("operator", Some(vec!["north".to_owned()])));
        assert!(ann.created_at.0 > 0 && ann.login_at.is_none());
        assert!(store.user("Ann").await.unwrap().is_none());
        let all = store.users().await.unwrap();
        assert_eq!(all.iter().map(|user| user.name.as_str()).collect::<Vec<_>>(), ["ann", "bob"]);
        for change in [UserChange::Password("x"), UserChange::Disable, UserChange::Enable, UserChange::Delete] {
            assert!(!store.change_user("nobody", change).await.unwrap());
            assert!(store.change_user("bob", change).await.unwrap());
        }
        assert!(store.user("bob").await.unwrap().is_none());
    }

    async fn whatever_changes_a_user_ends_their_sessions(place) {
        let store = place.open().await;
        store.add_user(&user("ann")).await.unwrap();
        store.add_user(&user("bob")).await.unwrap();
        let bob = store.user("bob").await.unwrap().unwrap();
        assert!(store.begin_session(&bob, &session(&bob, "b"), LIFETIME).await.unwrap());
        for (number, change) in
            [UserChange::Password("new"), UserChange::Disable, UserChange::Enable, UserChange::Delete]
                .into_iter()
                .enumerate()
        {
            let ann = store.user("ann").await.unwrap().unwrap();
            let id = format!("a{number}");
            let begun = store.begin_session(&ann, &session(&ann, &id), LIFETIME).await.unwrap();
            assert_eq!(begun, ann.disabled_at.is_none(), "{change:?}");
            let digest = format!("digest of {id}");
            let kept = store.token(&digest).await.unwrap();
            assert_eq!(kept.is_some(), begun);
            assert!(store.change_user("ann", change).await.unwrap());
            assert!(store.token(&digest).await.unwrap().is_none(), "{change:?}");
            if change != UserChange::Enable {
                // Whose password was looked at before does not get in any more.
                let late = store.begin_session(&ann, &session(&ann, "late"), LIFETIME).await.unwrap();
                assert!(!late, "{change:?}");
            }
        }
        assert!(store.token("digest of b").await.unwrap().is_some(), "others go on");
        assert!(store.user("bob").await.unwrap().unwrap().login_at.is_some());
    }

    async fn a_login_and_a_change_at_one_moment_leave_no_session(place) {
        let store = place.open().await;
        for round in 0..10 {
            let name = format!("user{round}");
            store.add_user(&user(&name)).await.unwrap();
            let ann = store.user(&name).await.unwrap().unwrap();
            let logins: Vec<_> = (0..4)
                .map(|number| {
                    let (store, ann) = (store.clone(), ann.clone());
                    tokio::spawn(async move {
                        let token = session(&ann, &format!("{}-{number}", ann.name));
                        store.begin_session(&ann, &token, LIFETIME).await
                    })
                })
                .collect();
            let changed = store.change_user(&name, UserChange::Password("new")).await.unwrap();
            assert!(changed);
            for login in logins {
                login.await.unwrap().unwrap();
            }
            for number in 0..4 {
                let digest = format!("digest of {name}-{number}");
                assert!(store.token(&digest).await.unwrap().is_none());
            }
        }
    }

    async fn sessions_that_are_over_are_forgotten_and_tokens_are_not(place) {
        let store = place.open().await;
        store.add_user(&user("ann")).await.unwrap();
        let ann = store.user("ann").await.unwrap().unwrap();
        let short = Duration::from_millis(1);
        store.begin_session(&ann, &session(&ann, "over"), short).await.unwrap();
        store.begin_session(&ann, &session(&ann, "counts"), LIFETIME).await.unwrap();
        store.add_token(&Token { owner: None, ..session(&ann, "token") }, Some(short)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert_eq!(store.forget_sessions(LIFETIME).await.unwrap(), 0);
        assert_eq!(store.forget_sessions(Duration::from_millis(100)).await.unwrap(), 1);
        assert_eq!(store.tokens().await.unwrap().len(), 2);
    }
}
