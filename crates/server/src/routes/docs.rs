//! The page on which people read about the interface and try it: files of ours, made of the published
//! document in the browser.

use axum::http::{HeaderName, header};
use axum::response::{IntoResponse as _, Response};

use crate::problem::Problem;
use crate::route::Route;

/// It runs our scripts alone, asks this service alone, and makes no markup of texts.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/docs", "getDocs", page)
            .about("Get the page on which these operations are told, and can be tried.")
            .for_all()
            .streams(200, "The page.", "text/html"),
        Route::get("/docs/page.css", "getDocsStyle", style)
            .about("Get what the page looks like.")
            .for_all()
            .streams(200, "Its style.", "text/css"),
        Route::get("/docs/page.js", "getDocsScript", script)
            .about("Get what makes the page of the document.")
            .for_all()
            .streams(200, "Its script.", "text/javascript"),
        Route::get("/docs/schema.js", "getDocsSchemaScript", schemas)
            .about("Get what tells schemas on the page.")
            .for_all()
            .streams(200, "Its script.", "text/javascript"),
    ]
}

async fn page() -> Result<Response, Problem> {
    let policy = (header::CONTENT_SECURITY_POLICY, POLICY);
    let apart = (HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    Ok(([kind, policy, apart], include_str!("../page/index.html")).into_response())
}

async fn style() -> Result<Response, Problem> {
    Ok(file("text/css; charset=utf-8", include_str!("../page/page.css")))
}

async fn script() -> Result<Response, Problem> {
    Ok(file("text/javascript; charset=utf-8", include_str!("../page/page.js")))
}

async fn schemas() -> Result<Response, Problem> {
    Ok(file("text/javascript; charset=utf-8", include_str!("../page/schema.js")))
}

fn file(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
