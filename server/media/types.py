"""What a file is, by its first bytes; what it is called says nothing.

Sources: ISO/IEC 14496-12 (`ftyp` and its brands, registered at mp4ra.org), ISO/IEC 11172-3 (frames of MPEG audio),
RFC 4867 (AMR), RFC 3533 (Ogg), RFC 9649 (WebP), the PNG and JPEG standards.
"""

from dataclasses import dataclass

HEAD = 64  # bytes that are enough to tell


@dataclass(frozen=True)
class FileType:
    """A kind of file that is taken: its media type, and the ending of a name for it."""

    mime: str
    ending: str


JPEG, PNG, WEBP = FileType("image/jpeg", "jpg"), FileType("image/png", "png"), FileType("image/webp", "webp")
HEIC, HEIF = FileType("image/heic", "heic"), FileType("image/heif", "heif")
M4A, MP3, OGG = FileType("audio/mp4", "m4a"), FileType("audio/mpeg", "mp3"), FileType("audio/ogg", "ogg")
AMR, WAV = FileType("audio/amr", "amr"), FileType("audio/wav", "wav")
MP4, GPP = FileType("video/mp4", "mp4"), FileType("video/3gpp", "3gp")
PDF = FileType("application/pdf", "pdf")
TYPES = (JPEG, PNG, WEBP, HEIC, HEIF, M4A, MP3, OGG, AMR, WAV, MP4, GPP, PDF)
ENDINGS = {kind.mime: kind.ending for kind in TYPES}

_STARTS = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"OggS\x00", OGG),
    (b"#!AMR\n", AMR),
    (b"#!AMR-WB\n", AMR),
    (b"%PDF-", PDF),
    (b"ID3", MP3),
)
_RIFF = {b"WEBP": WEBP, b"WAVE": WAV}
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), HEIC),
    **dict.fromkeys((b"mif1", b"msf1"), HEIF),
    **dict.fromkeys((b"M4A ", b"M4B "), M4A),
    **dict.fromkeys((b"isom", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV", b"mmp4", b"dash"), MP4),
    **dict.fromkeys((b"iso2", b"iso3", b"iso4", b"iso5", b"iso6"), MP4),
}


def sniff(head: bytes) -> FileType | None:
    """The type of a file that begins with these bytes (`HEAD` of them, or all); None if it is none that is taken."""
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return GPP if brand[:2] == b"3g" else _BRANDS.get(brand)
    return MP3 if _is_mpeg_layer_3(head) else None


def _is_mpeg_layer_3(head: bytes) -> bool:
    """Whether a frame of MPEG audio, layer III, begins here: sync, a bit rate and a sampling rate that exist."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return False
    version, rate, sampling = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and rate not in (0, 15) and sampling != 3
