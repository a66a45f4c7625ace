"""`upprop dashboard`: the statistics as pages and as an API."""

from __future__ import annotations

from pathlib import Path

import click

from federation.observability import Log
from federation.options import config_option
from federation.settings import load
from registry.dashboard.serving import serve
from registry.statistics.settings import ReaderSettings


@click.command(short_help="Show the national statistics as pages and as an API.")
@config_option("reader")
def dashboard(config: Path) -> None:
    """Show the national statistics as pages and as an API, until stopped (Ctrl-C or SIGTERM).

    It is a reader of the statistics: it asks the registry with the certificate that the settings name, and shows what
    that reader may see to everybody who can reach it. By default that is this machine alone:

    \b
      http_listen = "127.0.0.1:7460"     where it listens
      level = "public"                   show what everybody may see, although the reader may see more
      title = "..."                      what stands above the pages
      public_url = "https://..."         the address that your reverse proxy gives it
      proxies = ["127.0.0.1"]            proxies that are believed for whom they ask
      calls = 120                        answers of the API, and pages, for one address ...
      call_window_seconds = 60           ... within so many seconds
      data_license = "https://..."       told to whoever fetches data

    Beyond loopback only a reader of the role public serves. Put a reverse proxy with TLS before it; for the authority's
    own figures one that lets only its people in.

    \b
    Pages:  http://127.0.0.1:7460/
    API:    http://127.0.0.1:7460/api/v2/tables   (as PxWebApi 2: json-stat2, csv, xlsx)
    """
    settings = load(config, ReaderSettings)
    serve(settings, Log(level=settings.log_level))
