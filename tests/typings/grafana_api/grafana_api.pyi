from collections.abc import Mapping
from typing import Any

import requests

class GrafanaException(Exception):
    status_code: int
    response: Any
    message: str

class GrafanaAPI:
    url: str
    s: requests.Session
    def GET(self, url: str) -> Any: ...
    def POST(self, url: str, json: Mapping[str, object]) -> Any: ...
