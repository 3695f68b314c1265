import { linkView } from "../link_view.js";
import { roomsView } from "../rooms_view.js";
import { formView } from "../link_settings_form.js";
import { adapt } from "../former_views.js";
const BUILDERS = { rooms: ({ name }) => roomsView(name), settings: ({ name, query }) => formView(name, query.get("hint")) };
export const view = (params) => {
  const { change: _, ...adapted } = adapt(() => (BUILDERS[params.tab] ?? (({ name }) => linkView(name)))(params), "list.title");
  return adapted;
};
