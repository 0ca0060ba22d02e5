"""Whether a container is well, by its metrics port: `probe.py [URL]`.

Without a URL the server is asked whether it takes streams, at KINESEG_METRICS_PORT or 9464, with TLS or without. Its
certificate has another name than this machine, and is not looked at.
"""

import os
import ssl
import sys
import urllib.error
import urllib.request

_HERE = f"127.0.0.1:{os.environ.get('KINESEG_METRICS_PORT', '9464')}/readyz"


def main() -> int:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for url in sys.argv[1:] or (f"http://{_HERE}", f"https://{_HERE}"):
        try:
            with urllib.request.urlopen(url, timeout=4, context=context):
                return 0
        except urllib.error.HTTPError as error:
            print(f"{url}: {error.code}")
            return 1
        except OSError as error:
            print(f"{url}: {error}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
