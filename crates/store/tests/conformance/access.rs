//! Tokens count as long as they should, and what was done cannot be changed afterwards.

use std::time::Duration;

use fathom_store::{Chain, Deed, Time, Token};

use crate::place::on_both;

fn token(id: &str, namespaces: Option<&[&str]>) -> Token {
    Token {
        id: id.to_owned(),
        name: format!("the {id} one"),
        digest: format!("digest of {id}"),
        role: "viewer".to_owned(),
        namespaces: namespaces.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
        created_by: "test".to_owned(),
        created_at: Time(0),
        expires_at: None,
        revoked_at: None,
        used_at: None,
        owner: None,
    }
}

fn deed(target: &str) -> Deed {
    Deed {
        actor: "somebody \u{1F980}".to_owned(),
        action: "jobs.submit".to_owned(),
        target: target.to_owned(),
        outcome: "allowed".to_owned(),
        correlation: "c-1".to_owned(),
        from: "127.0.0.1".to_owned(),
    }
}

on_both! {
    async fn a_token_counts_until_it_expires_or_is_revoked(place) {
        let store = place.open().await;
        store.add_token(&token("a", None), None).await.unwrap();
        store.add_token(&token("b", Some(&["x", "y"])), Some(Duration::from_millis(1500))).await.unwrap();
        assert_eq!(store.token("digest of a").await.unwrap().unwrap().namespaces, None);
        let kept = store.token("digest of b").await.unwrap().unwrap();
        assert_eq!(kept.namespaces.unwrap(), ["x", "y"]);
        assert!(kept.expires_at.unwrap() > kept.created_at);
        assert!(store.token("digest of c").await.unwrap().is_none());
        tokio::time::sleep(Duration::from_millis(1700)).await;
        assert!(store.token("digest of b").await.unwrap().is_none(), "it has expired");
        store.use_token("a").await.unwrap();
        assert!(store.token("digest of a").await.unwrap().unwrap().used_at.is_some());
        assert!(store.revoke_token("a").await.unwrap());
        assert!(!store.revoke_token("a").await.unwrap());
        assert!(store.token("digest of a").await.unwrap().is_none());
        assert_eq!(store.tokens().await.unwrap().len(), 2);
    }

    async fn the_chain_shows_what_was_changed(place) {
        let store = place.open().await;
        assert!(matches!(store.verify_audit().await.unwrap(), Chain::Whole { entries: 0, .. }));
        store.record(&[deed("one"), deed("two\0")]).await.unwrap();
        let records = (0..10).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.record(&[deed("three"), deed("four")]).await })
        });
        for record in records.collect::<Vec<_>>() {
            record.await.unwrap().unwrap();
        }
        assert!(matches!(store.verify_audit().await.unwrap(), Chain::Whole { entries: 22, .. }));
        for change in [
            "UPDATE audit SET document = replace(document, 'three', 'nine') WHERE number = 7",
            "UPDATE audit SET at = at + 1 WHERE number = 7",
            "UPDATE audit SET digest = 'x' WHERE number = 7",
            "DELETE FROM audit WHERE number = 7",
        ] {
            let kept = store.audit(6, 1).await.unwrap().remove(0);
            place.run(change).await;
            let chain = store.verify_audit().await.unwrap();
            assert_eq!(chain, Chain::Broken { at: 7 }, "{change}");
            place.run("DELETE FROM audit WHERE number = 7").await;
            let kept = format!(
                "INSERT INTO audit VALUES (7, {}, '{}', '{}')",
                kept.at.0,
                kept.document.replace('\'', "''"),
                kept.digest
            );
            place.run(&kept).await;
            assert!(matches!(store.verify_audit().await.unwrap(), Chain::Whole { .. }), "{change}");
        }
    }
}
