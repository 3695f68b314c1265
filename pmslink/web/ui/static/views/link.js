import { linkView } from "../link_view.js";
import { roomsView } from "../rooms_view.js";
import { view as settings } from "./settings.js";
import { adapt } from "../former_views.js";
const BUILDERS = { rooms: ({ name }) => roomsView(name) };
export const view = (params) => {
  if (params.tab === "settings") return settings(params);
  const { change: _, ...adapted } = adapt(() => (BUILDERS[params.tab] ?? (({ name }) => linkView(name)))(params), "list.title");
  return adapted;
};
