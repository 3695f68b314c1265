// Adapts the former views to the frame until they are replaced.
import * as model from "./link_model.js";
import { t } from "./core/texts.js";
import { call } from "./core/api.js";
await model.loadKnown();
for (const link of (await call("GET", "links")).links) model.happened("link", { link, transition: null });
await model.forgetIfEmpty();
export function adapt(build, titleKey) {
  const former = build();
  return {
    element: former.element,
    title: () => t(titleKey),
    update: (kind, data) => kind !== "tick" && kind !== "status" && model.happened(kind, data),
    close: () => former.close?.(),
    draft: () => former.kept?.(),
    restore: (draft) => former.keep?.(draft),
  };
}
