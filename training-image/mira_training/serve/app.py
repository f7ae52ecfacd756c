"""The HTTP interface: KServe's v2 protocol (Open Inference Protocol), and metrics."""

import json
import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

import mira
from mira.registry.document import format_time
from mira.registry.reader import Current
from mira_training.model.onnx_file import Unscorable
from mira_training.serve.follower import Follower
from mira_training.serve.metrics import Metrics
from mira_training.serve.predictor import Predictor
from mira_training.serve.settings import Settings
from mira_training.serve.tensors import BadRequest, described, feed_of, outputs_of, parsed

log = logging.getLogger(__name__)


@dataclass
class Service:
    """What the routes answer from; `draining` is set once, when the process is told to end."""

    follower: Follower
    settings: Settings
    metrics: Metrics
    draining: bool = False

    @property
    def ready(self) -> bool:
        """Whether it serves and is to go on serving. An old version is better than none: a problem does not matter."""
        return self.follower.served is not None and not self.draining

    def predictor(self, model: str) -> Predictor:
        """What is served now. Raises HTTPException: 404 for another model, 503 while there is nothing."""
        if model != self.settings.model:
            raise HTTPException(
                404, f"model {model[:80]!r} is not served here; this server serves {self.settings.model}"
            )
        now = self.follower.now
        if now.served is None:
            raise HTTPException(503, f"no version of {model} is served yet: {now.problem}")
        return now.served

    def state(self) -> dict[str, Any]:
        """What is served, and what keeps it from being what should be served; absent: nothing does."""
        now = self.follower.now
        version, found = now.served and now.served.version, now.found
        stale_since = found.stale_since if isinstance(found, Current) else None
        content = {
            "version": version and version.version,
            "digest": version and version.digest,
            "namespace": self.settings.namespace,
            "stage": self.settings.stage,
            "number": found.number if isinstance(found, Current) else None,
            "stale_since": stale_since and format_time(stale_since),
            "problem": now.problem,
        }
        return {name: value for name, value in content.items() if value is not None}


def application(service: Service) -> FastAPI:
    """The application; nothing of it needs the network of others, so there are no pages of documentation."""
    app = FastAPI(title="Mira", openapi_url=None, docs_url=None, redoc_url=None)
    app.add_exception_handler(HTTPException, _refused)  # type: ignore[arg-type]
    app.add_exception_handler(BadRequest, lambda _, error: _answer({"error": str(error)}, HTTPStatus.BAD_REQUEST))
    _health(app, service)
    _models(app, service)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return app


def _health(app: FastAPI, service: Service) -> None:
    @app.get("/v2/health/live")
    async def live() -> Response:
        return _answer({"live": True})

    @app.get("/v2/health/ready")
    async def ready() -> Response:
        return _answer({"ready": service.ready}, HTTPStatus.OK if service.ready else HTTPStatus.SERVICE_UNAVAILABLE)

    @app.get("/v2")
    async def server() -> Response:
        return _answer({"name": "mira", "version": mira.__version__, "extensions": []})


def _models(app: FastAPI, service: Service) -> None:
    @app.get("/v2/models/{model}")
    async def metadata(model: str) -> Response:
        served = service.predictor(model)
        content = {"name": model, "versions": [served.version.version], "platform": "onnxruntime_onnx"}
        content |= described(served.columns, served.classes) | {"parameters": service.state()}
        return _answer(content, served=served)

    @app.get("/v2/models/{model}/ready")
    async def model_ready(model: str) -> Response:
        served = service.predictor(model)
        code = HTTPStatus.OK if service.ready else HTTPStatus.SERVICE_UNAVAILABLE
        return _answer({"name": model, "ready": service.ready} | service.state(), code, served)

    @app.post("/v2/models/{model}/infer")
    async def infer(model: str, request: Request) -> Response:
        with service.metrics.seconds.time():
            answer = await _inferred(service, model, request)
        service.metrics.requests.labels(str(answer.status_code)).inc()
        return answer


async def _inferred(service: Service, model: str, request: Request) -> Response:
    served: Predictor | None = None
    try:
        served = service.predictor(model)
        body = await _body(request, service.settings.largest_body)
        # A request ends on the version on which it began. Abandoned, so that one that hangs does not hold up the end.
        content, rows = await anyio.to_thread.run_sync(_predicted, served, model, body, abandon_on_cancel=True)
    except HTTPException as error:
        return _answer({"error": error.detail}, HTTPStatus(error.status_code), served)
    except BadRequest as error:
        return _answer({"error": str(error)}, HTTPStatus.BAD_REQUEST, served)
    except Unscorable as error:
        return _answer({"error": f"the model cannot answer: {error}"}, HTTPStatus.BAD_REQUEST, served)
    except Exception:
        log.exception("a prediction failed")
        return _answer(
            {"error": "the prediction failed; the server's log says why"}, HTTPStatus.INTERNAL_SERVER_ERROR, served
        )
    service.metrics.rows.inc(rows)
    return _answer(content, served=served)


def _predicted(served: Predictor, model: str, body: bytes) -> tuple[bytes, int]:
    request = parsed(body)
    feed = feed_of(request["inputs"], served.columns)
    outputs = outputs_of(served.scores(feed), served.classes, request.get("outputs"))
    content = {"model_name": model, "model_version": served.version.version, "outputs": outputs}
    if isinstance(request.get("id"), str):
        content["id"] = request["id"]
    return json.dumps(content).encode(), outputs[0]["shape"][0]


async def _body(request: Request, limit: int) -> bytes:
    if "inference-header-content-length" in request.headers:
        raise HTTPException(400, "inference-header-content-length: binary tensors are not taken; send them as JSON")
    too_large = HTTPException(413, f"the body has more than {limit} bytes; send fewer rows at once")
    if int(request.headers.get("content-length", "0")) > limit:
        raise too_large
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise too_large
    return bytes(body)


async def _refused(_: Request, error: HTTPException) -> Response:
    return _answer({"error": error.detail}, HTTPStatus(error.status_code))


def _answer(
    content: dict[str, Any] | bytes, code: HTTPStatus = HTTPStatus.OK, served: Predictor | None = None
) -> Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {} if served is None else {"mira-version": served.version.version, "mira-digest": served.version.digest}
    return Response(body, code, headers, "application/json")
