"""Cut what a picture shows out of its background."""

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.intake import _check_picture, _read_local
from sanctum_venice_tools.runtime.media import _media_folder, _picture_size, _store
from sanctum_venice_tools.runtime.public import _is_for_venice
from sanctum_venice_tools.runtime.publishing import _published
from sanctum_venice_tools.runtime.venice import _answer, _call_for_file

TOOLSET = "image"
COST = "cents"


@_published
@_read_as_meant
def venice_remove_background(*, image: str) -> str:
    """Cut the subject of a picture out: what lies behind it becomes transparent.

    Costs about 3 US cents. To put another background in its place, use venice_edit_image instead.

    Args:
        image: A file from an earlier answer, a public URL, or "attached", the picture that the
            person attached last ("attached:2" is the one before): PNG, JPEG or WebP, up to 25 MB.

    Returns:
        JSON: file (a PNG with transparency), type, bytes, width, height.
    """
    folder = _media_folder()
    image = image.strip()
    if _is_for_venice(image):
        body = {"image_url": image}
    else:
        content = _read_local(image, most_mb=25)
        picture = _check_picture(image, content, least=1, most=33_177_600)
        # Without its type, Venice takes it for a PNG (its skill for edits, 73c0bf7).
        body = {"image": f"data:{picture.media_type};base64,{picture.in_base64}"}
    cut_out, _ = _call_for_file("POST", "/image/background-remove", json=body)
    file = _store(folder, cut_out, "cut-out", _picture_size, "width", "height")
    return _answer(**file)
