"""Why the browser gives no camera, said in a sentence on the page.

Only the browser knows: whether the page came over a safe connection, whether there is a camera, and what the person
answered when it asked. So a small script of the page finds out, and looks again when any of it changes.
"""

from typing import Final

import streamlit as st

_SENTENCES: Final = {
    "insecure": (
        "Browsers give a camera only to pages of their own computer (localhost) or over HTTPS. Open the app on the "
        "computer that runs it, or serve it over HTTPS; uploads still work."
    ),
    "missing": "No camera was found. Plug one in and switch it on, or upload a picture instead.",
    "denied": (
        "The browser is blocking the camera on this page. Allow it with the icon to the left of the address, then "
        "press START again; uploads still work."
    ),
    "busy": (
        "There is a camera, but it cannot be used. Close other programs that use it (a video call?), then press START "
        "again; uploads still work."
    ),
}
"""By reason, what to do."""

TRANSLATIONS: Final = {
    "media_api_not_available": _SENTENCES["insecure"],
    "device_ask_permission": "Please allow this page to use the camera.",
    "device_not_available": _SENTENCES["missing"],
    "device_access_denied": _SENTENCES["denied"],
}
"""The same for the list of cameras inside the stream's own frame."""

_CSS: Final = """
.trouble {
  display: none; align-items: center; gap: .7rem; padding: .85rem 1rem; border-radius: 8px; line-height: 1.45;
  background: color-mix(in srgb, #E69F00 16%, transparent); color: var(--st-text-color);
  font-family: var(--st-font); font-size: 1rem;
}
.trouble.shown { display: flex; }
"""

_JS: Final = """
const REFUSALS = {NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "missing",
  OverconstrainedError: "missing", NotReadableError: "busy", AbortError: "busy"}

export default function ({ data, parentElement }) {
  const box = parentElement.querySelector(".trouble")
  const place = (parentElement.host ?? parentElement).closest("[data-testid='stElementContainer']")
  const show = (reason) => {
    box.textContent = reason ? data.sentences[reason] : ""
    box.classList.toggle("shown", Boolean(reason))
    if (place) place.style.display = reason ? "" : "none" // else the page keeps a gap for it
  }
  if (!window.isSecureContext || !navigator.mediaDevices) { show("insecure"); return }

  let refused = "", works = false
  const look = async () => {
    const devices = await navigator.mediaDevices.enumerateDevices()
    const permission = await navigator.permissions?.query({ name: "camera" }).catch(() => null)
    if (permission) permission.onchange = again
    if (works) show("")
    else if (!devices.some((device) => device.kind === "videoinput")) show("missing")
    else show(permission?.state === "denied" ? "denied" : refused)
  }
  const again = () => { refused = ""; look() }

  // The stream's frame asks for the camera by itself; what it is told is overheard, and its own words for it give way.
  const listen = () => {
    const frame = [...document.querySelectorAll("iframe")].find((each) => each.title.includes("webrtc"))
    const media = frame?.contentWindow?.navigator?.mediaDevices
    if (!media || media.isHeard) return
    const ask = media.getUserMedia.bind(media)
    const quiet = frame.contentDocument.head.appendChild(frame.contentDocument.createElement("style"))
    const hear = (reason) => {
      refused = reason
      works = !reason
      quiet.textContent = reason ? ".MuiAlert-root { display: none !important }" : ""
      look()
    }
    media.isHeard = true
    media.getUserMedia = (wanted) => ask(wanted).then(
      (stream) => { hear(""); return stream },
      (error) => { hear(REFUSALS[error.name] ?? "busy"); throw error },
    )
  }
  const timer = setInterval(() => { try { listen() } catch { /* the frame is still loading */ } }, 300)
  navigator.mediaDevices.addEventListener("devicechange", again)
  look()
  return () => {
    clearInterval(timer)
    navigator.mediaDevices.removeEventListener("devicechange", again)
  }
}
"""

_camera_check = st.components.v2.component(
    "camera_check", html='<div class="trouble" role="alert"></div>', css=_CSS, js=_JS
)


def show_camera_trouble() -> None:
    """Hold a place in which the browser says what keeps it from the camera, as long as something does."""
    _camera_check(key="camera-check", data={"sentences": _SENTENCES})
