"""compose.yaml: what it mounts is there, what it starts can be started, and everybody finds whom they speak to."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from dashboards.library import FOLDERS, LANGS, NAMES, folder_uid
from tests.deploy.commands import parsed

DEPLOY = Path(__file__).parents[2] / "deploy"


def read(path: str) -> Any:
    return YAML(typ="safe", pure=True).load((DEPLOY / path).read_text())


def filled_in(value: str) -> str:
    """Variables as they are where nobody sets them."""
    made = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
    assert "$" not in made, value
    return made


COMPOSE = read("compose.yaml")
SERVICES: Mapping[str, Mapping[str, Any]] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"].startswith("jiantu:")}


def has_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not has_compose(), reason="this machine has no `docker compose` to ask")
@pytest.mark.parametrize("profile", ["live", "kafka"])
def test_docker_finds_nothing_wrong(profile: str) -> None:
    words = ["docker", "compose", "--file", str(DEPLOY / "compose.yaml"), "--profile", profile, "config", "--quiet"]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")


def words(service: Mapping[str, Any]) -> Sequence[str]:
    return [filled_in(str(word)) for word in service.get("command", [])]


def port_of(name: str) -> int:
    """Where a service listens, by its command line."""
    said = " ".join(words(SERVICES[name]))
    found = re.search(r"(?:--listen \S+|listen-address=):(\d+)", said.replace("0.0.0.0", "")) or re.search(
        r"--listen :(\d+)", said.replace("0.0.0.0", "")
    )
    return int(found[1]) if found else {"alertmanager": 9093, "kafka": 9092}[name]


def test_the_parts_are_there() -> None:
    assert {"kafka", "run", "worker", "ticker", "ledger", "exporter", "paging", "deadman"} <= set(SERVICES)
    assert {"prometheus", "alertmanager", "grafana"} <= set(SERVICES)
    profiles = {profile for one in SERVICES.values() for profile in one.get("profiles", [])}
    assert profiles == {"live", "kafka"}


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned(name: str) -> None:
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+", SERVICES[name]["image"])


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one(name: str) -> None:
    options = parsed(words(OURS[name]))
    if "listen" in options:
        assert str(options["listen"]).startswith("0.0.0.0:")


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = filled_in(volume).split(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists(), volume
            assert volume.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"], volume


def test_nothing_is_open_to_others() -> None:
    for name, service in SERVICES.items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_no_secret_stands_in_it() -> None:
    for service in SERVICES.values():
        for name, value in (service.get("environment") or {}).items():
            if re.search("PASSWORD|TOKEN|SECRET|KEY", name):
                assert str(value).startswith("/run/secrets/")
                assert name.endswith("_FILE")


def test_the_brokers_settings_are_those_that_jiantu_needs() -> None:
    environment = SERVICES["kafka"]["environment"]
    every_broker_s = (DEPLOY / "kafka/server.properties").read_text().split("# ----")[1]
    needed = re.findall(r"^([\w.]+)=(\S+)$", every_broker_s, re.MULTILINE)
    assert needed
    for name, value in needed:
        assert environment["KAFKA_" + name.upper().replace(".", "_")] == value
    assert environment["KAFKA_PROCESS_ROLES"] == "broker,controller"
    brokers = OURS["worker"]["environment"]["JIANTU_KAFKA_BROKERS"]
    assert environment["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{brokers}"


def test_everybody_finds_whom_they_speak_to() -> None:
    """Prometheus its targets and Alertmanager, that one pager and dead man, the pager the dead man, Grafana both."""
    prometheus = read("prometheus/prometheus.yml")
    scraped = [
        target
        for job in prometheus["scrape_configs"]
        for one in job.get("static_configs", [])
        for target in one["targets"]
    ]
    scraped += [
        f"{name}:{one['port']}"
        for job in prometheus["scrape_configs"]
        for one in job.get("dns_sd_configs", [])
        for name in one["names"]
    ]
    told = [
        target
        for one in prometheus["alerting"]["alertmanagers"]
        for s in one["static_configs"]
        for target in s["targets"]
    ]
    addresses = [*scraped, *told]
    for path in ("alertmanager/alertmanager.yml", "alertmanager/paging.yaml"):
        addresses += re.findall(r"url: http://([\w.]+:\d+)/", (DEPLOY / path).read_text())
    grafana = SERVICES["grafana"]["environment"]
    addresses += [grafana[name].removeprefix("http://") for name in grafana if name.startswith("JIANTU_")]
    assert len(addresses) >= 8
    for address in addresses:
        name, port = address.split(":")
        assert port_of(name) == int(port), address


def test_every_part_that_has_metrics_is_scraped() -> None:
    jobs = read("prometheus/prometheus.yml")["scrape_configs"]
    targets = {
        target.split(":")[0]
        for job in jobs
        for one in (*job.get("static_configs", []), *job.get("dns_sd_configs", []))
        for target in one.get("targets", one.get("names"))
    }
    assert targets == {"exporter", "run", "paging", "worker"}


def test_grafana_finds_data_sources_and_boards() -> None:
    grafana = SERVICES["grafana"]
    assert 11 <= int(re.split(r"[:.]", grafana["image"])[1]) <= 12
    mounted = dict(volume.split(":")[:2][::-1] for volume in grafana["volumes"])
    for file in (DEPLOY / "grafana/provisioning").rglob("*.yaml"):
        for variable in re.findall(r"\$\{(\w+)\}", file.read_text()):
            assert variable in grafana["environment"], file
    for provider, lang in zip(read("grafana/provisioning/dashboards/jiantu.yaml")["providers"], LANGS, strict=True):
        inside = provider["options"]["path"]
        outside = DEPLOY / mounted[inside.rpartition("/")[0]] / lang
        assert inside.endswith(lang)
        assert {path.stem for path in outside.glob("*.json")} == set(NAMES)
        assert (provider["folder"], provider["folderUid"]) == (FOLDERS[lang], folder_uid(lang))
    sources = read("grafana/provisioning/datasources/jiantu.yaml")["datasources"]
    assert [source["type"] for source in sources] == ["prometheus", "alertmanager"]
    assert not any(source.get("isDefault") for source in sources), "a Grafana with two defaults does not start"
    home = filled_in(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (DEPLOY / mounted["/etc/jiantu/boards"] / home.removeprefix("/etc/jiantu/boards/")).is_file()


def test_the_image_holds_what_it_is_built_of() -> None:
    lines = (DEPLOY / "container/Dockerfile").read_text().splitlines()
    copied = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    allowed = (DEPLOY / "container/Dockerfile.dockerignore").read_text().splitlines()
    for source in copied:
        assert (DEPLOY.parent / source).exists(), source
        assert f"!{source}" in allowed
    assert [line for line in lines if line.startswith("FROM")] == [
        "FROM python:3.11-slim-bookworm AS build",
        "FROM python:3.11-slim-bookworm",
    ]
    assert "USER jiantu" in lines
