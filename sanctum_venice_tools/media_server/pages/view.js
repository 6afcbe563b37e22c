// How a file is shown: a picture, a player, or the beginning of a text.

const LONGEST_SNIPPET = 300; // in letters
const LONGEST_TEXT = 100_000; // in bytes: so many the server sends
const UNSHOWN_PICTURES = ["image/heic", "image/tiff"];

// A file has an id, a name, a title, an address, a media type, and its length in bytes.
export function viewOf(file, { isLarge }) {
  const kind = file.mediaType.split("/")[0];
  const words = file.title || file.name;
  if (kind === "image" && !UNSHOWN_PICTURES.includes(file.mediaType)) {
    const picture = new Image();
    picture.loading = isLarge ? "eager" : "lazy";
    picture.src = file.url;
    picture.alt = words;
    return [picture];
  }
  if (kind === "audio" || kind === "video") {
    const player = document.createElement(kind);
    player.controls = true;
    player.preload = kind === "video" || isLarge ? "metadata" : "none";
    // A moment after the beginning a film shows a picture, before it is played.
    player.src = kind === "video" ? `${file.url}#t=0.1` : file.url;
    player.setAttribute("aria-label", words);
    return [player];
  }
  return kind === "text" ? [textOf(file, isLarge ? LONGEST_TEXT : LONGEST_SNIPPET)] : [];
}

function textOf(file, most) {
  const shown = document.createElement("pre");
  shown.tabIndex = 0;
  shown.role = "group";
  shown.setAttribute("aria-label", `The beginning of ${file.name}`);
  beginningOf(file)
    .then((text) => {
      const isCut = text.length > most || file.bytes > LONGEST_TEXT;
      shown.textContent = isCut ? `${text.slice(0, most)}…` : text;
    })
    .catch((error) => shown.replaceWith(element("p", error.message))); // it is not the text
  return shown;
}

async function beginningOf(file) {
  const reply = await fetch(`/gallery/files/${file.id}/start`);
  if (reply.ok) {
    return reply.text();
  }
  const told = await reply.json().catch(() => ({}));
  throw new Error(told.error ?? `The server answered ${reply.status}.`);
}

export function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
