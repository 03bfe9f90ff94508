from collections.abc import Mapping
from typing import Any

from grafana_api.grafana_api import GrafanaAPI

class Dashboard:
    def get_dashboard(self, dashboard_uid: str) -> Any: ...
    def update_dashboard(self, dashboard: Mapping[str, object]) -> Any: ...

class Folder:
    def get_folder(self, uid: str) -> Any: ...
    def create_folder(self, title: str, uid: str | None = None) -> Any: ...
    def update_folder(self, uid: str, title: str, version: int | None = None, overwrite: bool = False) -> Any: ...

class GrafanaFace:
    api: GrafanaAPI
    dashboard: Dashboard
    folder: Folder
    def __init__(
        self,
        auth: str,
        host: str = "localhost",
        port: int | None = None,
        url_path_prefix: str = "",
        protocol: str = "http",
        verify: bool = True,
        timeout: float = 5.0,
    ) -> None: ...
