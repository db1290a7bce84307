/** Sends a customer's photo: the bytes go to the file store, with the link of the visit as the permission. */
import { ask } from "../lib/graphql.js";

export const MOST_BYTES = 10_000_000;
export const TYPES = "image/jpeg,image/png,image/webp,image/heic,image/heif";

/** @param {File} file @param {string} trackingToken @returns {Promise<string>} what went wrong, or nothing */
export async function sendPhoto(file, trackingToken) {
  if (file.size > MOST_BYTES) return `${file.name} is larger than 10 MB.`;
  const { uploadRequest } = await ask("UploadRequest", {
    input: { trackingToken, kind: "PHOTO", fileName: file.name, contentType: file.type || "image/heic", byteSize: file.size },
  });
  if (uploadRequest.userErrors[0]) return uploadRequest.userErrors[0].message;
  const sent = await fetch(uploadRequest.url, { method: "PUT", body: file, headers: uploadRequest.headers, credentials: "omit" });
  if (!sent.ok) return `${file.name} could not be sent.`;
  const { uploadComplete } = await ask("UploadComplete", { input: { attachmentId: uploadRequest.attachmentId } });
  return uploadComplete.userErrors[0]?.message ?? "";
}
