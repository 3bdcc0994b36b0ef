//! VMs and what can be asked of them.

use super::Ctx;
use super::actions::queue_answer;
use super::body::OptionalBody;
use super::error::ApiError;
use super::gate::Identity;
use super::list::{self, ListParams, Pairs};
use crate::render;
use crate::words::{already, imperative, time};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use db::{NewAction, NewJob, Stored};
use jiff::Timestamp;
use model::lifecycle::{Admit, Denied, Request};
use model::{ActionId, ActionKind, Freshness, HostId, JobId, Lane, Vm as Record};
use server_api::action::Accepted;
use server_api::vm::{Vm, VmDetail, VmRequest, VmXml};
use server_api::{ErrorBody, List};
use uuid::Uuid;

/// Lists VMs. Sort: name, status, host, vcpus, memory.
#[utoipa::path(
    get, path = "/api/v1/vms", tag = "vms", params(ListParams),
    responses((status = 200, body = List<Vm>), (status = 400, body = ErrorBody))
)]
pub async fn list_vms(
    State(ctx): State<Ctx>,
    identity: Identity,
    pairs: Pairs,
) -> Result<Json<List<Vm>>, ApiError> {
    let query = list::read::<Stored<Record>>(&ctx, &pairs, list::no_extra).await?;
    let page = ctx.store.list::<Stored<Record>>(&query).await?;
    Ok(Json(list::answer(page, &query, |vm| {
        render::vm(vm, identity.role)
    })))
}

/// Shows a VM with its disks, interfaces and consoles.
#[utoipa::path(
    get, path = "/api/v1/vms/{id}", tag = "vms", params(("id" = Uuid, Path)),
    responses((status = 200, body = VmDetail), (status = 404, body = ErrorBody))
)]
pub async fn get_vm(
    State(ctx): State<Ctx>,
    identity: Identity,
    Path(id): Path<Uuid>,
) -> Result<Json<VmDetail>, ApiError> {
    let vm = find(&ctx, id).await?;
    Ok(Json(render::vm_detail(&vm, identity.role)))
}

/// Gives both definitions of a VM as libvirt has them.
#[utoipa::path(
    get, path = "/api/v1/vms/{id}/xml", tag = "vms", params(("id" = Uuid, Path)),
    responses((status = 200, body = VmXml), (status = 404, body = ErrorBody))
)]
pub async fn get_vm_xml(
    State(ctx): State<Ctx>,
    Path(id): Path<Uuid>,
) -> Result<Json<VmXml>, ApiError> {
    let vm = ctx.store.find_vm(id).await?.ok_or_else(no_such_vm)?;
    Ok(Json(VmXml {
        persistent: vm.value.xml_persistent,
        live: vm.value.xml_live,
        observed_at: time(vm.observed_at),
    }))
}

/// A handler for each life-cycle request: they differ in the request alone.
macro_rules! life_cycle {
    ($name:ident, $path:literal, $request:expr, $doc:literal) => {
        #[doc = $doc]
        #[utoipa::path(
            post, path = $path, tag = "vms",
            params(
                ("id" = Uuid, Path),
                ("Idempotency-Key" = Option<String>, Header, description = "The same key and request within 24 hours is one action"),
            ),
            request_body = Option<VmRequest>,
            responses(
                (status = 200, body = Accepted, description = "There was nothing to do; the action has succeeded already"),
                (status = 202, body = Accepted, description = "Queued"),
                (status = 404, body = ErrorBody),
                (status = 409, body = ErrorBody, description = "Not in this status, or changed meanwhile"),
            )
        )]
        pub async fn $name(
            State(ctx): State<Ctx>,
            identity: Identity,
            Path(id): Path<Uuid>,
            headers: HeaderMap,
            OptionalBody(body): OptionalBody<VmRequest>,
        ) -> Result<(StatusCode, Json<Accepted>), ApiError> {
            ask(&ctx, &identity, id, &headers, body, $request).await
        }
    };
}

life_cycle!(
    start_vm,
    "/api/v1/vms/{id}/start",
    Request::Start,
    "Starts a VM."
);
life_cycle!(
    shutdown_vm,
    "/api/v1/vms/{id}/shutdown",
    Request::Shutdown,
    "Asks the guest to shut down."
);
life_cycle!(
    reboot_vm,
    "/api/v1/vms/{id}/reboot",
    Request::Reboot,
    "Asks the guest to reboot."
);
life_cycle!(
    save_vm,
    "/api/v1/vms/{id}/save",
    Request::Save,
    "Writes the memory to disk and stops; the next start goes on from there."
);
life_cycle!(
    force_off_vm,
    "/api/v1/vms/{id}/force_off",
    Request::ForceOff,
    "Cuts the power."
);
life_cycle!(
    reset_vm,
    "/api/v1/vms/{id}/reset",
    Request::Reset,
    "Presses the reset button."
);
life_cycle!(
    pause_vm,
    "/api/v1/vms/{id}/pause",
    Request::Pause,
    "Stops executing and keeps memory."
);
life_cycle!(
    resume_vm,
    "/api/v1/vms/{id}/resume",
    Request::Resume,
    "Goes on after a pause, or wakes up."
);

async fn ask(
    ctx: &Ctx,
    identity: &Identity,
    id: Uuid,
    headers: &HeaderMap,
    body: VmRequest,
    request: Request,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    let vm = find(ctx, id).await?;
    let digest = format!("vm {id} {} {:?}", request.as_str(), body.r#gen);
    let key = super::actions::client_key(headers, &digest)?;
    let known = key.is_some();
    let decided = decide(ctx, &vm, &body, request).await;
    // A repeated request gets its action back, whatever has become of the VM since; a new one is refused here.
    let done = match decided {
        Ok(done) => done,
        Err(refusal) if known => return super::actions::repeat(ctx, identity, key, refusal).await,
        Err(refusal) => return Err(refusal),
    };
    let job = job(&vm, request, &identity.user, key, done);
    queue_answer(ctx, &job).await
}

/// Whether the request makes sense now. `Some` result when there is nothing to do.
async fn decide(
    ctx: &Ctx,
    vm: &Stored<Record>,
    body: &VmRequest,
    request: Request,
) -> Result<Option<String>, ApiError> {
    if body.r#gen.is_some_and(|r#gen| r#gen != vm.r#gen) {
        let message = format!("{} has changed since you looked", vm.value.name);
        return Err(
            ApiError::conflict("changed_meanwhile", message).hint("Look at it again, then decide")
        );
    }
    let lane = Lane::vm(vm.value.uuid);
    let status = vm.value.status;
    match vm.value.admit(request) {
        Ok(Admit::Queue) => Ok(None),
        // What is under way, or a host that cannot be seen, may make it untrue: the agent looks when it is its turn.
        Ok(Admit::AlreadyThere)
            if vm.host.freshness != Freshness::Live || ctx.store.lane_is_busy(&lane).await? =>
        {
            Ok(None)
        }
        Ok(Admit::AlreadyThere) => Ok(Some(
            serde_json::Value::from(already(status, request)).to_string(),
        )),
        Err(denied) => {
            let what = imperative(request).to_lowercase();
            let message = format!("Cannot {what} {}: {denied}", vm.value.name);
            Err(ApiError::conflict(denied_code(denied), message))
        }
    }
}

const fn denied_code(denied: Denied) -> &'static str {
    match denied {
        Denied::ResumeInstead => "vm_paused",
        Denied::NotRunning => "vm_not_running",
        Denied::NotPaused => "vm_not_paused",
        Denied::PausedCannotReact => "vm_paused",
        Denied::ShuttingDown => "vm_shutting_down",
        Denied::Migrating => "vm_migrating",
        Denied::Suspended => "vm_suspended",
        Denied::StatusUnknown => "vm_status_unknown",
        Denied::Transient => "vm_transient",
        Denied::ControlDomain => "control_domain",
        Denied::Lacks(_) => "not_possible",
    }
}

fn job(
    vm: &Stored<Record>,
    request: Request,
    user: &str,
    key: Option<(String, Vec<u8>)>,
    done: Option<String>,
) -> NewJob {
    let host: HostId = vm.host.id;
    NewJob {
        id: JobId(Uuid::now_v7()),
        fun: format!("vm.{}", request.as_str()),
        target: vm.host.name.clone(),
        target_kind: "list".to_owned(),
        user: user.to_owned(),
        key,
        actions: vec![NewAction {
            id: ActionId(Uuid::now_v7()),
            host,
            lane: Lane::vm(vm.value.uuid),
            kind: ActionKind::Vm {
                vm: vm.value.uuid,
                name: vm.value.name.clone(),
                request,
            },
            vm_id: Some(vm.id),
            done,
            deadline: Timestamp::now() + super::actions::DEADLINE,
        }],
    }
}

/// A VM as a row of the store.
///
/// # Errors
/// 404 when there is none.
pub async fn find(ctx: &Ctx, id: Uuid) -> Result<Stored<Record>, ApiError> {
    let found = ctx.store.find::<Stored<Record>>(id).await?;
    found.ok_or_else(no_such_vm)
}

fn no_such_vm() -> ApiError {
    ApiError::not_found("VM")
}
