//! Who calls: every request passes here before its handler, and is refused unless its operation says
//! that such a caller may.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use fathom_jobs::Submitter;
use fathom_store::Deed;
use tracing::{Instrument as _, Span, debug, field, info, info_span, warn};

use crate::access::Role;
use crate::connections::{Peer, Sent};
use crate::identify::{identify, unknown};
use crate::parameters::Parameters;
use crate::problem::{Code, Problem};
use crate::route::Needs;
use crate::service::Service;

/// By which a request is found in logs and traces; a caller may bring its own.
const CORRELATION: &str = "x-correlation-id";

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) name: String,
    pub(crate) role: Option<Role>,
    pub(crate) namespaces: Option<Vec<String>>,
    pub(crate) correlation: String,
    pub(crate) from: IpAddr,
    /// The token by its id, where it came of a login.
    pub(crate) session: Option<String>,
}

impl Caller {
    /// The same as whoever hands in jobs.
    pub(crate) fn submitter(&self) -> Submitter {
        let namespace = match &self.namespaces {
            Some(names) => names.first().cloned().unwrap_or_default(),
            None => "default".to_owned(),
        };
        Submitter { name: self.name.clone(), namespace, namespaces: self.namespaces.clone() }
    }

    /// Who sees some namespaces alone decides nothing about the whole, and is not told of it.
    pub(crate) fn everywhere(&self) -> Result<(), Problem> {
        match self.namespaces {
            None => Ok(()),
            Some(_) => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "FORBIDDEN",
                "this concerns all namespaces, and the token is for some",
            )),
        }
    }

    /// Something that this caller does.
    pub(crate) fn deed(&self, action: &str, target: &str) -> Deed {
        self.told(action, target, "allowed")
    }

    /// The same with what came of it.
    pub(crate) fn told(&self, action: &str, target: &str, outcome: &str) -> Deed {
        Deed {
            actor: self.name.clone(),
            action: action.to_owned(),
            target: target.chars().take(300).collect(),
            outcome: outcome.to_owned(),
            correlation: self.correlation.clone(),
            from: self.from.to_string(),
        }
    }
}

/// What a route asks of its caller.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) service: Service,
    pub(crate) needs: Needs,
    pub(crate) id: &'static str,
    pub(crate) path: &'static str,
    /// What may stand behind the question mark.
    pub(crate) parameters: Vec<&'static str>,
}

/// Lets a request through to its handler, or refuses it.
pub(crate) async fn pass(State(door): State<Door>, request: Request, next: Next) -> Response {
    let started = std::time::Instant::now();
    let (parts, body) = request.into_parts();
    let method = method(&parts.method);
    let correlation = correlation(&parts.headers);
    let span = info_span!(
        "request",
        otel.kind = "server",
        otel.name = format!("{method} {}", door.path),
        otel.parent = traceparent(&parts.headers),
        otel.error = field::Empty,
        method,
        route = door.path,
        correlation_id = correlation,
        caller = field::Empty,
        from = field::Empty,
        status = field::Empty,
    );
    let mut response =
        answer(&door, parts, body, next, &correlation).instrument(span.clone()).await;
    let (status, took) = (response.status(), started.elapsed());
    door.service.inner.meters.request(method, door.path, status, took);
    span.in_scope(|| tell(&door, &response, took));
    if let Ok(value) = HeaderValue::from_str(&correlation) {
        response.headers_mut().insert(CORRELATION, value);
    }
    response.extensions_mut().insert(Told);
    response
}

/// A response of which the log tells already.
#[derive(Clone)]
pub(crate) struct Told;

/// Writes what came of a request: nothing that it brought, and that it was asked how the service is only
/// where that failed.
fn tell(door: &Door, response: &Response, took: Duration) {
    let status = response.status();
    let code = response.extensions().get::<Code>().map(|Code(code)| *code);
    let duration_ms = took.as_micros() as f64 / 1000.0;
    Span::current().record("status", status.as_u16());
    if status.is_server_error() {
        Span::current().record("otel.error", code.unwrap_or_default());
        warn!(duration_ms, code, "a request failed");
    } else if door.needs == Needs::Nothing || door.id == "getMetrics" {
        debug!(duration_ms, code, "a request was answered");
    } else {
        info!(duration_ms, code, "a request was answered");
    }
}

async fn answer(
    door: &Door,
    mut parts: Parts,
    body: Body,
    next: Next,
    correlation: &str,
) -> Response {
    match enter(door, &parts, correlation).await {
        Ok((caller, parameters)) => {
            // Who is known does not have to give way to those who are not.
            let busy = caller.role.and_then(|_| {
                let ConnectInfo(Peer(peer)) = parts.extensions.get()?;
                Some(door.service.inner.connections.busy(*peer))
            });
            parts.extensions.insert(caller);
            parts.extensions.insert(parameters);
            let request = Request::from_parts(parts, body);
            let limit = door.service.inner.rules.request_timeout;
            match tokio::time::timeout(limit, next.run(request)).await {
                Ok(response) => match busy {
                    Some(busy) => response.map(|body| Sent::body(body, busy)),
                    None => response,
                },
                Err(_) => Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "TIMEOUT",
                    format!("it took longer than {} s", limit.as_secs()),
                )
                .retry_after(5)
                .into_response(),
            }
        }
        Err(problem) => problem.into_response(),
    }
}

/// What every answer carries, and what it does besides where it goes over TLS.
pub(crate) async fn harden(State(secure): State<bool>, request: Request, next: Next) -> Response {
    let method = method(request.method());
    let mut response = next.run(request).await;
    if response.extensions().get::<Told>().is_none() {
        // Where it went is what a stranger wrote.
        let status = response.status().as_u16();
        info!(method, route = "(none)", status, "a request was answered");
    }
    let headers = response.headers_mut();
    if secure {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ] {
        if !headers.contains_key(name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

/// Who calls, and with which parameters: those of the operation, and no others.
async fn enter(
    door: &Door,
    request: &Parts,
    correlation: &str,
) -> Result<(Caller, Parameters), Problem> {
    let caller = admit(door, request, correlation).await?;
    Ok((caller, Parameters::read(request.uri.query().unwrap_or(""), &door.parameters)?))
}

async fn admit(door: &Door, request: &Parts, correlation: &str) -> Result<Caller, Problem> {
    let rules = &door.service.inner.rules;
    let from = origin(request, door);
    Span::current().record("from", field::display(from));
    if !(rules.admits)(from) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "ADDRESS_REFUSED",
            "not from this address",
        ));
    }
    let mut caller = Caller {
        name: "anonymous".to_owned(),
        role: None,
        namespaces: Some(Vec::new()),
        correlation: correlation.to_owned(),
        from,
        session: None,
    };
    let Needs::Role(least) = door.needs else {
        door.service.limit(&format!("from {from}"))?;
        return Ok(caller);
    };
    match bearer(&request.headers)? {
        Some(secret) => identify(&door.service, &mut caller, secret).await?,
        None if rules.open && from.is_loopback() => {
            not_from_a_page(request)?;
            caller.name = "loopback".to_owned();
            caller.role = Some(Role::Admin);
            caller.namespaces = None;
        }
        None => {
            door.service.limit(&format!("from {from}"))?;
            return Err(unknown("there is no token; send \"Authorization: Bearer TOKEN\""));
        }
    }
    Span::current().record("caller", &caller.name);
    door.service.limit(&caller.name)?;
    if caller.role.is_some_and(|role| role >= least) {
        return Ok(caller);
    }
    let may_not = Problem::new(
        StatusCode::FORBIDDEN,
        "FORBIDDEN",
        format!("{} asks for the role {}", door.id, least.as_str()),
    );
    if request.method != Method::GET {
        door.service.record(caller.told(door.id, request.uri.path(), "denied")).await?;
    }
    Err(may_not)
}

/// The token that the request brings.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(unknown("there is more than one Authorization"));
    }
    value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| Some(secret.trim()))
        .ok_or_else(|| unknown("the Authorization is no Bearer token"))
}

/// Where no token is asked for, a page that somebody looks at in a browser must not be able to act:
/// neither by a plain request of its own nor under a name that resolves to this machine.
fn not_from_a_page(request: &Parts) -> Result<(), Problem> {
    let headers = &request.headers;
    let refused = |why: &str| Err(Problem::new(StatusCode::FORBIDDEN, "CROSS_ORIGIN", why));
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| request.uri.authority().map(|it| it.as_str()));
    let name = host.map(|host| match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    });
    let is_local = |name: &str| {
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    if !name.is_some_and(is_local) {
        return refused("without a token this service is asked for by localhost alone");
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        let own = host.is_some_and(|host| {
            origin.to_str().is_ok_and(|it| {
                it.strip_prefix("http://").or_else(|| it.strip_prefix("https://")) == Some(host)
            })
        });
        if !own {
            return refused("without a token no other page may ask this service");
        }
    }
    Ok(())
}

/// From where the request comes: what a proxy that is trusted says, or who is connected.
fn origin(request: &Parts, door: &Door) -> IpAddr {
    let connected = request
        .extensions
        .get::<ConnectInfo<Peer>>()
        .map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(Peer(address))| {
            address.ip().to_canonical()
        });
    let trusts = &door.service.inner.rules.trusts;
    let mut from = connected;
    if !trusts(from) {
        return from;
    }
    // The last is what our own proxy says; each that is trusted says truly who came to it.
    let all = request.headers.get_all("x-forwarded-for");
    let told: Vec<&str> = all
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .collect();
    for told in told.into_iter().rev() {
        let Ok(address) = told.trim().parse::<IpAddr>() else { break };
        from = address.to_canonical();
        if !trusts(from) {
            break;
        }
    }
    from
}

/// What the caller follows its request by, where it is something to print; one of ours otherwise.
fn correlation(headers: &HeaderMap) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    headers
        .get(CORRELATION)
        .and_then(|value| value.to_str().ok())
        .filter(|text| (1..=128).contains(&text.len()) && text.bytes().all(plain))
        .map_or_else(|| format!("{:032x}", rand::random::<u128>()), str::to_owned)
}

/// Where in which trace the caller is, where it says so once.
fn traceparent(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all("traceparent").iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// The method, one of few.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}
