"""Boards into a Grafana that does not read files: through its API, by uid only, the same again changes nothing.

Files are the primary way (`deploy/grafana/provisioning`). A board that Grafana read from files cannot be pushed.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from grafana_api.grafana_api import GrafanaException
from grafana_api.grafana_face import GrafanaFace

from dashboards.difference import Change, changes
from dashboards.library import FOLDERS, Built, Lang, folder_uid

OLDEST: Final = 11
"""Grafana's major version that the boards are made for, and later."""
_PATIENCE = 30.0


class GrafanaError(Exception):
    """Grafana cannot be used, or says no: what, where, what to do; in Chinese and in English."""

    def __init__(self, zh: str, en: str, *, wrong_input: bool = False) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en
        self.wrong_input = wrong_input


class Outcome(Enum):
    """What pushing did, or would do."""

    CREATED = "created"
    CHANGED = "changed"
    MOVED = "moved"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Pushed:
    """One folder or board, what became of it, and how it differed before."""

    kind: str
    uid: str
    title: str
    outcome: Outcome
    changes: tuple[Change, ...] = ()


class Grafana:
    """One Grafana, through its documented HTTP API."""

    def __init__(self, url: str, token: str) -> None:
        parts = _parts(url)
        self._url = url.rstrip("/")
        self._face = GrafanaFace(
            auth=token,
            host=parts.host,
            port=parts.port,
            url_path_prefix=parts.prefix,
            protocol=parts.scheme,
            timeout=_PATIENCE,
        )
        self._face.api.s.max_redirects = 0  # a redirected POST would arrive as a GET
        self._face.api.s.trust_env = True

    def check(self) -> str:
        """Its version, once it has answered as a Grafana that is new enough, with a token that it knows."""
        with self._asking("/api/health"):
            health = self._face.api.GET("/health")
        version = str(health.get("version", "")) if isinstance(health, dict) and "database" in health else ""
        if not version:  # hidden from strangers by `hide_version`: whoever is known may ask for the settings
            with self._asking("/api/frontend/settings"):
                settings = self._face.api.GET("/frontend/settings")
            version = str(settings.get("buildInfo", {}).get("version", "")) if isinstance(settings, dict) else ""
        major = version.partition(".")[0]
        if not major.isdigit():
            raise self._no_grafana("/api/health")
        if int(major) < OLDEST:
            raise GrafanaError(
                f"{self._url} 是 Grafana {version}，太旧；仪表盘需要 {OLDEST} 或更新",
                f"{self._url} is Grafana {version}, too old: the boards need {OLDEST} or newer",
            )
        with self._asking("/api/org"):
            self._face.api.GET("/org")
        return version

    def push(self, boards: tuple[Built, ...], *, does: bool, overwrite: bool = False) -> Iterator[Pushed]:
        """Make folder and boards as they should be; with `does` false only say what would be done."""
        for lang in dict.fromkeys(board.lang for board in boards):
            yield self._folder(lang, does=does)
        for board in boards:
            yield self._board(board, does=does, overwrite=overwrite)

    def _folder(self, lang: Lang, *, does: bool) -> Pushed:
        uid, title = folder_uid(lang), FOLDERS[lang]
        differs: tuple[Change, ...] = ()
        with self._asking(f"/api/folders/{uid}"):
            found = self._unless_missing(lambda: self._face.folder.get_folder(uid))
        if found is None:
            outcome = Outcome.CREATED
            if does:
                with self._asking("/api/folders"):
                    self._face.folder.create_folder(title, uid)
        elif found["title"] != title:
            outcome = Outcome.CHANGED
            differs = (Change("标题", "title", f"“{found['title']}” → “{title}”"),)
            if does:
                with self._asking(f"/api/folders/{uid}"):
                    self._face.folder.update_folder(uid, title, version=found["version"])
        else:
            outcome = Outcome.UNCHANGED
        return Pushed("folder", uid, title, outcome, differs)

    def _board(self, board: Built, *, does: bool, overwrite: bool) -> Pushed:
        with self._asking(f"/api/dashboards/uid/{board.uid}"):
            found = self._unless_missing(lambda: self._face.dashboard.get_dashboard(board.uid))
        version = found["dashboard"].get("version", 0) if found else 0
        outcome, differs = _compared(board, found)
        if found and found["meta"].get("provisioned") and outcome is not Outcome.UNCHANGED:
            raise _from_file(board.uid)
        if does and outcome is not Outcome.UNCHANGED:
            document = {**board.document, "id": None, "version": version}
            with self._asking("/api/dashboards/db"):
                self._face.dashboard.update_dashboard(
                    {
                        "dashboard": document,
                        "folderUid": folder_uid(board.lang),
                        "message": "jiantu boards push",
                        "overwrite": overwrite,
                    }
                )
        return Pushed("board", board.uid, board.title, outcome, differs)

    def _unless_missing(self, ask: Any) -> Any:
        """What was asked for; None where Grafana says itself that it has none."""
        try:
            return ask()
        except GrafanaException as error:
            if error.status_code == 404 and isinstance(error.response, dict) and "message" in error.response:
                return None
            raise

    @contextmanager
    def _asking(self, path: str) -> Iterator[None]:
        """Whatever goes wrong in a request, as words."""
        try:
            yield
        except GrafanaException as error:
            raise self._refused(error, path) from None
        except requests.TooManyRedirects as error:
            where = error.response.headers.get("Location", "") if error.response is not None else ""
            raise GrafanaError(
                f"{self._url}{path} 转到 {where}；请用 --url 给出最终的地址",
                f"{self._url}{path} redirects to {where}: give --url the address that it ends at",
                wrong_input=True,
            ) from None
        except (requests.JSONDecodeError, TypeError):
            # TypeError: grafana-api looks for a message in an error page as if it were JSON.
            raise self._no_grafana(path) from None
        except requests.exceptions.SSLError as error:
            raise GrafanaError(
                f"{self._url} 的证书不可信；自建的证书机构请用环境变量 REQUESTS_CA_BUNDLE 给出其证书",
                f"the certificate of {self._url} is not trusted ({_reason(error)}); for an authority of your own, name "
                "its certificate in REQUESTS_CA_BUNDLE",
            ) from None
        except requests.Timeout:
            raise GrafanaError(
                f"{self._url} {_PATIENCE:.0f} 秒内没有回答", f"{self._url} did not answer within {_PATIENCE:.0f} s"
            ) from None
        except requests.RequestException as error:
            raise GrafanaError(
                f"连不上 {self._url}，请检查 --url 和网络",
                f"cannot reach {self._url}; check --url and the network ({_reason(error)})",
            ) from None

    def _refused(self, error: GrafanaException, path: str) -> GrafanaError:
        answer = error.response if isinstance(error.response, dict) else {}
        said, status = str(answer.get("message", "")), answer.get("status")
        match error.status_code:
            case 400 if "provisioned" in said:
                return _from_file(path)
            case 401:
                return GrafanaError(
                    f"{self._url} 不认这个令牌（401）；请在 Grafana 的服务账号下新建一个",
                    f"{self._url} does not know this token (401): make one for a service account in Grafana",
                    wrong_input=True,
                )
            case 403:
                return GrafanaError(
                    f"令牌权限不够（403 {path}）；服务账号需要 Editor 角色，并能建文件夹",
                    f"the token may not do this (403 {path}): its service account needs the role Editor, "
                    "with the right to make folders",
                    wrong_input=True,
                )
            case 404:
                return self._no_grafana(path)
            case 409 | 412 if path == "/api/folders":
                return GrafanaError(
                    f"建不了文件夹（{error.status_code}）：已有同名的，或刚有人建了；请改掉它的名称，再推一次",
                    f"cannot make the folder ({error.status_code}: {said}): one of that name is there, or somebody has "
                    "just made it; rename it, then push again",
                )
            case 412 if status == "name-exists":
                return GrafanaError(
                    "文件夹里有另一个同名的仪表盘（412）；请改掉它的名称，或加 --overwrite 换掉它",
                    f"another board of that title lies in the folder (412: {said}); rename it, or replace it with "
                    "--overwrite",
                )
            case 409 | 412:
                return GrafanaError(
                    f"有人刚刚改过它（{error.status_code}）；看过之后加 --overwrite 再推",
                    f"somebody changed it meanwhile ({error.status_code} {path}: {said}); look at it, then push again "
                    "with --overwrite",
                )
            case code:
                return GrafanaError(
                    f"{self._url}{path} 回答 {code}", f"{self._url}{path} answered {code}: {said or 'no reason given'}"
                )

    def _no_grafana(self, path: str) -> GrafanaError:
        return GrafanaError(
            f"{self._url} 不像是 Grafana；请检查 --url（若在子路径下，写上子路径）",
            f"{self._url} does not answer as a Grafana ({path}): check --url, and the path where it lies below one",
            wrong_input=True,
        )


@dataclass(frozen=True, slots=True)
class _Parts:
    scheme: str
    host: str
    port: int | None
    prefix: str


def _parts(url: str) -> _Parts:
    """What grafana-api wants to know of an address, in pieces."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise GrafanaError(
            f"地址不对：{url!r}；例如 https://grafana.example.cn/grafana",
            f"not an address of Grafana: {url!r}; such as https://grafana.example.cn/grafana",
            wrong_input=True,
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    prefix = parts.path.strip("/")
    return _Parts(parts.scheme, host, port, f"{prefix}/" if prefix else "")


def _compared(board: Built, found: Mapping[str, Any] | None) -> tuple[Outcome, tuple[Change, ...]]:
    if found is None:
        return Outcome.CREATED, ()
    differs = tuple(changes(found["dashboard"], board.document))
    lies = found["meta"].get("folderUid", "")
    if lies != folder_uid(board.lang):
        moved = Change("文件夹", "folder", f"“{lies}” → “{folder_uid(board.lang)}”")
        return (Outcome.CHANGED if differs else Outcome.MOVED), (*differs, moved)
    return (Outcome.CHANGED if differs else Outcome.UNCHANGED), differs


def _from_file(what: str) -> GrafanaError:
    return GrafanaError(
        f"{what} 由文件提供，不能推送；请改用新的文件，或先去掉文件",
        f"{what} is provisioned from a file and cannot be pushed: bring the file up to date, or remove it",
    )


def _reason(error: requests.RequestException) -> str:
    cause: BaseException = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    return str(cause) or type(cause).__name__
