"""The live page: streams, their segments and alerts in a browser, and the same page of a recording as one file.

    hub = Hub()
    feed = hub.open(StreamInfo(stream="…", name="stage", rate_hz=120))
    async with PageServer(hub, port=8080, token=token) as page:
        print(page.url)

A `Hub` holds what browsers are shown, whoever has it gives it to a `Feed`, and a `PageServer` (``kineseg[page]``) shows
it. `recording_page` needs no server.
"""

from kineseg.page.document import recording_page
from kineseg.page.feed import Feed, Limits
from kineseg.page.hub import Hub
from kineseg.page.stream_info import StreamInfo
from kineseg.page.viewer import Viewer

__all__ = ["Feed", "Hub", "Limits", "StreamInfo", "Viewer", "recording_page"]
