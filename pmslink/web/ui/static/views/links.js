import { listView } from "../link_list.js";
import { adapt } from "../former_views.js";
export const view = () => adapt(() => listView(), "list.title");
