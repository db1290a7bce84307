"""Fetches the libraries of our pages from npm in exactly these versions: `python web/static/vendor/vendor.py`.

npm checks each package against the integrity that is written here, so that what lies in this folder can be made again by
anyone. Bare imports become relative ones, since browsers resolve no package names without an import map, and an import map
would have to stand inline in the page.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
# Package, version, integrity (as npm publishes it), and the files that are taken: path in the package -> name here.
PACKAGES: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    (
        "preact",
        "10.29.8",
        "sha512-ej2aVZ+vZ8WO7tvlQWRM9N63A0KzF9q4mWJfDUHgYaIofWY9hu74QdnQrjoPMmZi2/nZ5gN0bJCQF49xQqx09Q==",
        {
            "dist/preact.module.js": "preact.js",
            "hooks/dist/hooks.module.js": "preact-hooks.js",
            "LICENSE": "preact.LICENSE.txt",
        },
    ),
    (
        "htm",
        "3.1.1",
        "sha512-983Vyg8NwUE7JkZ6NmOqpCZ+sh1bKv2iYTlUkzlWmA5JD2acKoxd4KVxbMmxX/85mtfdnDmTFoNKcg5DGAvxNQ==",
        {"dist/htm.module.js": "htm.js", "LICENSE": "htm.LICENSE.txt"},
    ),
    (
        "graphql-ws",
        "6.4.2",
        "sha512-wxhPhhOGJo8PbGDkBYVE76sZLDrS+GkyrR4bZECSLVbo0pZZNKs0HtBh2Ip/uaUuiVUxwO9ssI9R92buQfNSqQ==",
        {
            "dist/client.js": "graphql-ws.js",
            "dist/common-CGW11Fyb.js": "graphql-ws-common.js",
            "LICENSE.md": "graphql-ws.LICENSE.txt",
        },
    ),
)
REWRITTEN = {
    'from"preact"': 'from"./preact.js"',
    "from './common-CGW11Fyb.js'": "from './graphql-ws-common.js'",
}
_SOURCE_MAP = re.compile(r"\n?//# sourceMappingURL=\S+\s*$")


def main() -> int:
    """Fetch, check, rewrite and write; exit code 1 when a package is not what it was."""
    for name, version, integrity, files in PACKAGES:
        with tempfile.TemporaryDirectory() as folder:
            packed = json.loads(_npm("pack", f"{name}@{version}", "--json", "--ignore-scripts", cwd=folder))[0]
            if packed["integrity"] != integrity:
                sys.stderr.write(f"{name} {version} is {packed['integrity']}, not {integrity}\n")
                return 1
            shutil.unpack_archive(Path(folder) / packed["filename"], folder, filter="data")
            for source, target in files.items():
                text = (Path(folder) / "package" / source).read_text("utf-8")
                for bare, relative in REWRITTEN.items():
                    text = text.replace(bare, relative)
                (HERE / target).write_text(_SOURCE_MAP.sub("", text).rstrip() + "\n", "utf-8")
    return 0


def _npm(*arguments: str, cwd: str) -> str:
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is needed to fetch the libraries")
    return subprocess.run([npm, *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
