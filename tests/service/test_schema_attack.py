"""schemathesis attacks the HTTP interface by its own OpenAPI document: no 5xx, no stack trace, nothing undocumented."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.schemas import BaseSchema

from tests.service.living import Living, client, living

OPERATIONS = ["POST /v1/events", "GET /v1/accounting", "GET /healthz", "GET /readyz", "GET /version"]
EXAMPLES = 60
UNSAID = {"future", "personal_number"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    with living(tmp_path_factory.mktemp("service"), body_seconds=5) as made:
        yield made


@pytest.fixture(scope="module")
def document(service: Living) -> BaseSchema:
    with client(service.url, None) as anybody:
        found = schemathesis.openapi.from_dict(anybody.get("/openapi.json").json())
    found.config.update(base_url=service.url)
    return found


def _only_unsaid(answer: dict[str, Any]) -> bool:
    """Whether all that was rejected was so for what no schema can say, and its description does."""
    return {one["reason"] for one in answer.get("rejections", [])} <= UNSAID


def test_every_operation_is_attacked(document: BaseSchema) -> None:
    there = [f"{method.upper()} {path}" for path, methods in document.raw_schema["paths"].items() for method in methods]
    assert sorted(there) == sorted(OPERATIONS)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_that_is_sent_breaks_it(
    operation: str, mode: GenerationMode, document: BaseSchema, service: Living
) -> None:
    method, path = operation.split()
    if mode is GenerationMode.NEGATIVE and method == "GET":
        return  # what has no parameters cannot have wrong ones
    sender = service.reader if path == "/v1/accounting" else service.client
    token = {"authorization": sender.headers["authorization"]}
    attacked = document[path][method]

    @given(case=attacked.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def attack(case: Any) -> None:
        response = case.call(headers=token)
        assert response.status_code < 500
        assert "Traceback" not in response.text
        assert 'File "' not in response.text
        unsaid = mode is GenerationMode.POSITIVE and response.status_code == 400 and _only_unsaid(response.json())
        case.validate_response(
            response,
            headers=token,
            excluded_checks=[schemathesis.checks.positive_data_acceptance] if unsaid else [],
        )

    attack()
    totals = service.accounting()
    assert totals["received"] == sum(totals[name] for name in ("counted", "duplicate", "late", "rejected"))
