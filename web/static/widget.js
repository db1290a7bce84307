/*
 * Puts the booking page of a location on another site: <script src="https-address-of-this-file" data-slug="…" async></script>
 * The page stands in a frame of its own origin where the script stands, and neither side can read the other.
 */
(() => {
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  if (!script?.dataset.slug) {
    console.error("Booking widget: the script tag needs data-slug, the name of the booking page.");
    return;
  }
  const origin = new URL(script.src).origin;
  const frame = document.createElement("iframe");
  frame.src = `${origin}/book/${encodeURIComponent(script.dataset.slug)}`;
  frame.title = script.dataset.title ?? "Book a visit";
  frame.loading = "lazy";
  frame.style.width = "100%";
  frame.style.maxWidth = "640px";
  frame.style.height = "640px";
  frame.style.border = "0";
  frame.style.colorScheme = "light dark";
  script.after(frame);
  addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.origin !== origin || event.data?.type !== "sps:height") return;
    const height = Number(event.data.height);
    if (height > 0 && height < 20_000) frame.style.height = `${height}px`;
  });
})();
