"""Network namespaces of a test's own: machines that are joined by a bridge, each with a process of the product in it."""

import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

CLONE_NEWNET = 0x40000000
# A network of this process's own: two runs of the tests share a machine. The machine in the middle is .1, the others follow.
NETWORK = f"10.{os.getpid() // 250 % 250}.{os.getpid() % 250}"
MIDDLE = f"{NETWORK}.1"


def ip(*arguments: str) -> None:
    """Run `ip`; what it says is the failure."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (
        f"ip {' '.join(arguments)}: {done.stderr} (root with CAP_NET_ADMIN and iproute2 is needed)"
    )


@dataclass(frozen=True)
class Machine:
    """A namespace with one link, to the bridge."""

    name: str
    address: str

    @property
    def enter(self) -> Sequence[str]:
        """What a command begins with to run there."""
        return ("ip", "netns", "exec", self.name)

    def link(self, state: str) -> None:
        """Take the link "down", or "up" again."""
        ip("-n", self.name, "link", "set", "eth0", state)

    def connect(self, address: str, port: int) -> socket.socket:
        """A connection that is made there: it does not cross the link to reach what is there too."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._connect, address, port).result()

    def _connect(self, address: str, port: int) -> socket.socket:
        # A namespace is a thread's own, and a socket stays in the one that it was made in.
        libc = ctypes.CDLL(None, use_errno=True)
        with Path(f"/run/netns/{self.name}").open() as there:
            if libc.setns(there.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        made = socket.create_connection((address, port), 10)
        made.setblocking(False)
        return made


@contextmanager
def machines(number: int) -> Iterator[list[Machine]]:
    """So many of them, on a bridge whose address here is `MIDDLE`."""
    bridge = f"sps{os.getpid()}"
    with ExitStack() as stack:
        ip("link", "add", bridge, "type", "bridge")
        stack.callback(ip, "link", "delete", bridge)
        ip("address", "add", f"{MIDDLE}/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        made = []
        for each in range(number):
            machine = Machine(f"{bridge}-{each}", f"{NETWORK}.{each + 2}")
            ip("netns", "add", machine.name)
            stack.callback(ip, "netns", "delete", machine.name)
            ip("link", "add", f"{bridge}v{each}", "type", "veth", "peer", "name", "eth0", "netns", machine.name)
            # Not left to the namespace's end, which waits for connections that were not closed in peace.
            stack.callback(ip, "link", "delete", f"{bridge}v{each}")
            ip("link", "set", f"{bridge}v{each}", "master", bridge, "up")
            ip("-n", machine.name, "address", "add", f"{machine.address}/24", "dev", "eth0")
            ip("-n", machine.name, "link", "set", "lo", "up")
            machine.link("up")
            made.append(machine)
        yield made
