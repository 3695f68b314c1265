import { formView } from "../link_settings_form.js";
import { adapt } from "../former_views.js";
export const view = () => adapt(() => formView(null), "list.add");
