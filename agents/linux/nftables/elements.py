"""Elements of maps, sent to the kernel in one transaction without a program in between.

The messages are those of linux/netfilter/nf_tables.h: a batch of additions and removals
between a begin and an end, of which the kernel takes all or none.
"""

import errno
import os
import socket
import struct
from collections.abc import Collection, Iterator

from agents.linux.failures import kernel_error, kernel_errors
from agents.linux.nftables.model import Element

_NETLINK_NETFILTER = 12
_NFPROTO_INET, _NFPROTO_UNSPEC = 1, 0
_SUBSYSTEM = 10
_BATCH_BEGIN, _BATCH_END = 16, 17
_NEW_ELEMENT, _DELETE_ELEMENT = _SUBSYSTEM << 8 | 12, _SUBSYSTEM << 8 | 14
_ERROR = 2
_REQUEST, _ACK, _CREATE = 1, 4, 0x400
_NESTED = 0x8000
_TABLE, _SET, _ELEMENTS = 1, 2, 3
_ITEM, _KEY, _DATA, _VALUE = 1, 1, 2, 1

_HEADER = struct.Struct("=IHHII")
_FAMILY = struct.Struct(">BBH")


class Channel:
    """A socket to the packet rules of the namespace of the thread that uses it first.

    It is kept open, as its end waits for the grace period of all that was removed (10 to
    20 ms). Not safe for two callers at once.
    """

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    @property
    def port_id(self) -> int:
        """Return what marks the channel's own changes in netlink(7), 0 before the first."""
        if self._socket is None:
            return 0
        number: int = self._socket.getsockname()[0]
        return number

    def send(self, table: str, removed: Collection[Element], added: Collection[Element]) -> None:
        """Remove and add elements of a table's maps, all or none; takes some 0.2 ms.

        Raises KernelError: ENOENT when the table or an element to remove is not there.
        """
        messages = list(_messages(table, removed, added))
        with kernel_errors("change the packet rules"):
            link = self._open()
            link.send(b"".join(messages))
            codes = [_answer(link.recv(1 << 16)) for _ in messages[1:-1]]
        for code in filter(None, codes):
            raise kernel_error("change the packet rules", code, os.strerror(code))

    def _open(self) -> socket.socket:
        if self._socket is None:
            kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
            self._socket = socket.socket(socket.AF_NETLINK, kind, _NETLINK_NETFILTER)
            self._socket.bind((0, 0))
            self._socket.settimeout(10.0)
        return self._socket

    def close(self) -> None:
        """Close the socket; another is opened at need. Idempotent."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _answer(reply: bytes) -> int:
    """Return the error number of an acknowledgement, 0 when all is well."""
    _, kind, _, _, _ = _HEADER.unpack_from(reply)
    if kind != _ERROR:
        return errno.EPROTO
    number: int = struct.unpack_from("=i", reply, _HEADER.size)[0]
    return -number


def _messages(
    table: str, removed: Collection[Element], added: Collection[Element]
) -> Iterator[bytes]:
    acts = [(_DELETE_ELEMENT, _REQUEST | _ACK, one) for one in removed]
    acts += [(_NEW_ELEMENT, _REQUEST | _ACK | _CREATE, one) for one in added]
    yield _message(_BATCH_BEGIN, _REQUEST, 0, _NFPROTO_UNSPEC, _SUBSYSTEM, b"")
    for number, (kind, flags, element) in enumerate(acts, 1):
        yield _element(kind, flags, number, table, element)
    yield _message(_BATCH_END, _REQUEST, len(acts) + 1, _NFPROTO_UNSPEC, _SUBSYSTEM, b"")


def _element(kind: int, flags: int, number: int, table: str, element: Element) -> bytes:
    item = _nest(_KEY, _attribute(_VALUE, element.key))
    if kind == _NEW_ELEMENT:
        item += _nest(_DATA, _attribute(_VALUE, element.value))
    body = (
        _attribute(_TABLE, table.encode() + b"\0")
        + _attribute(_SET, element.map.encode() + b"\0")
        + _nest(_ELEMENTS, _nest(_ITEM, item))
    )
    return _message(kind, flags, number, _NFPROTO_INET, 0, body)


def _message(kind: int, flags: int, number: int, family: int, resource: int, body: bytes) -> bytes:
    payload = _FAMILY.pack(family, 0, resource) + body
    return _HEADER.pack(_HEADER.size + len(payload), kind, flags, number, 0) + payload


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def _nest(kind: int, value: bytes) -> bytes:
    return _attribute(kind | _NESTED, value)
