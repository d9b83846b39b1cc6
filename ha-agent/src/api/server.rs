//! From HTTP requests to calls of the engine.

use std::{io, net::IpAddr};

use axum::{
    Json, Router,
    extract::{ConnectInfo, FromRequestParts, Path, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response as HttpResponse},
    routing::{get, post},
};
use ha_core::election::Duty;
use tokio::sync::{mpsc, oneshot};

use super::{
    Call, Listener, Refused, Request, Response,
    permission::{Caller, Writers},
    types,
};

#[derive(Clone, Debug)]
struct Shared {
    engine: mpsc::Sender<Call>,
    writers: Writers,
}

/// Serves the control socket until the future is dropped.
///
/// # Errors
/// If the socket breaks.
pub async fn serve(
    listener: Listener,
    writers: Writers,
    engine: mpsc::Sender<Call>,
) -> io::Result<()> {
    let router = router(Shared { engine, writers });
    let service = router.into_make_service_with_connect_info::<Caller>();
    // The listener's file must stay until the last request is served.
    let Listener { inner, _file } = listener;
    axum::serve(inner, service).await
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/groups/{group}/promote", post(promote))
        .route("/v1/groups/{group}/release", post(release))
        .route("/v1/groups/{group}/switchover", post(switchover))
        .route("/v1/reload", post(reload))
        .route("/v1/node/duty", post(set_duty))
        .route("/v1/groups/{group}/vips", post(add_vips).delete(del_vips))
        .fallback(unknown)
        .with_state(shared)
}

async fn status(State(shared): State<Shared>) -> HttpResponse {
    shared.ask(Request::Status).await
}

async fn promote(
    State(shared): State<Shared>,
    _: MayWrite,
    Path(group): Path<String>,
) -> HttpResponse {
    shared.ask(Request::Promote { group }).await
}

async fn release(
    State(shared): State<Shared>,
    _: MayWrite,
    Path(group): Path<String>,
) -> HttpResponse {
    shared.ask(Request::Release { group }).await
}

async fn switchover(
    State(shared): State<Shared>,
    _: MayWrite,
    Path(group): Path<String>,
    Json(body): Json<types::Switchover>,
) -> HttpResponse {
    let types::Switchover { to, wait } = body;
    shared.ask(Request::Switchover { group, to, wait }).await
}

async fn reload(
    State(shared): State<Shared>,
    _: MayWrite,
    Json(body): Json<types::Reload>,
) -> HttpResponse {
    let types::Reload { dry_run } = body;
    shared.ask(Request::Reload { dry_run }).await
}

async fn set_duty(
    State(shared): State<Shared>,
    _: MayWrite,
    Json(body): Json<types::SetDuty>,
) -> HttpResponse {
    let types::SetDuty { duty, wait } = body;
    match Duty::from_name(&duty) {
        Some(duty) => shared.ask(Request::SetDuty { duty, wait }).await,
        None => error(
            StatusCode::UNPROCESSABLE_ENTITY,
            "a duty is one of \"serve\", \"drained\" and \"maintenance\"",
        ),
    }
}

async fn add_vips(
    State(shared): State<Shared>,
    _: MayWrite,
    Path(group): Path<String>,
    Json(body): Json<types::Vips>,
) -> HttpResponse {
    let vips: Vec<IpAddr> = body.vips;
    shared.ask(Request::AddVips { group, vips }).await
}

async fn del_vips(
    State(shared): State<Shared>,
    _: MayWrite,
    Path(group): Path<String>,
    Json(body): Json<types::Vips>,
) -> HttpResponse {
    let vips: Vec<IpAddr> = body.vips;
    shared.ask(Request::DelVips { group, vips }).await
}

async fn unknown() -> HttpResponse {
    error(
        StatusCode::NOT_FOUND,
        "there is no such resource; the API begins at /v1/status",
    )
}

impl Shared {
    async fn ask(&self, request: Request) -> HttpResponse {
        let (reply, answer) = oneshot::channel();
        if self.engine.send(Call { request, reply }).await.is_err() {
            return error(StatusCode::SERVICE_UNAVAILABLE, "the agent is stopping");
        }
        match answer.await {
            Ok(Ok(Response::Status(status))) => Json(*status).into_response(),
            Ok(Ok(Response::Reloaded(reloaded))) => Json(reloaded).into_response(),
            Ok(Ok(Response::Done(done))) => Json(types::Done { done }).into_response(),
            Ok(Err(refused)) => error(code(&refused), &refused.to_string()),
            Err(_) => error(StatusCode::SERVICE_UNAVAILABLE, "the agent is stopping"),
        }
    }
}

const fn code(refused: &Refused) -> StatusCode {
    match refused {
        Refused::NoSuchGroup { .. } => StatusCode::NOT_FOUND,
        Refused::Conflict(_) => StatusCode::CONFLICT,
        Refused::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        // Not that of a wrong request, which this is not.
        Refused::WrongFile(_) => StatusCode::FAILED_DEPENDENCY,
        Refused::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn error(code: StatusCode, error: &str) -> HttpResponse {
    (
        code,
        Json(types::Error {
            error: error.to_owned(),
        }),
    )
        .into_response()
}

/// Proof that the caller may write.
struct MayWrite;

impl FromRequestParts<Shared> for MayWrite {
    type Rejection = HttpResponse;

    async fn from_request_parts(
        parts: &mut Parts,
        shared: &Shared,
    ) -> Result<Self, Self::Rejection> {
        let caller = ConnectInfo::<Caller>::from_request_parts(parts, shared)
            .await
            .map_err(IntoResponse::into_response)?;
        if shared.writers.admit(caller.0) {
            return Ok(Self);
        }
        Err(error(
            StatusCode::FORBIDDEN,
            "only root and members of the group in `control.group` may change something",
        ))
    }
}
