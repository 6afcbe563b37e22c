"""Make a picture larger."""

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.intake import _check_picture, _read_media
from sanctum_venice_tools.runtime.media import _media_folder, _picture_size, _store
from sanctum_venice_tools.runtime.models import _pick_model
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.publishing import _published
from sanctum_venice_tools.runtime.venice import _answer, _call_for_file

TOOLSET = "core"
COST = "cents"

_LARGEST = 16_777_216  # pixels that may come out


@_published
@_read_as_meant
def venice_upscale_image(*, image: str, scale: int = 2, creativity: float = 0.01) -> str:
    """Make a picture two or four times as wide and high, and sharper. Costs 2 or 8 cents.

    Args:
        image: A stored file, public URL, or "attached": the person's last picture.
        scale: 2 or 4. One too large for 4 gets 2.
        creativity: 0 adds no detail, 0.02 the most.

    Returns:
        JSON: file, url, width, height, scale, cost_usd, notes.
    """
    asked = {"scale": scale, "creativity": creativity}
    _read_options(asked, {"scale": [2, 4], "creativity": (0, 0.02)})
    folder = _media_folder()
    content = _read_media(image.strip(), most_mb=25)
    picture = _check_picture(image, content, least=65_536, most=_LARGEST // 4)
    notes = []
    pixels = (picture.width * scale) * (picture.height * scale)
    if pixels > _LARGEST:
        scale = 2
        why = "at 4, more than the 16.7 million pixels that Venice allows would come out"
        notes.append(f"Done at scale 2: {why}.")

    upscaler = _pick_model("upscale", "", setting="")
    prices = upscaler.spec.get("pricing", {}).get("upscale", {})
    price = prices.get(f"{scale}x", {}).get("usd")
    body = {"image": picture.in_base64, "scale": scale, "creativity": creativity}
    larger, _ = _call_for_file("POST", "/image/upscale", json=body)
    file = _store(folder, larger, "upscaled", _picture_size, "width", "height")
    return _answer(
        **file,
        input_width=picture.width,
        input_height=picture.height,
        scale=scale,
        cost_usd=price,
        notes=notes,
    )
