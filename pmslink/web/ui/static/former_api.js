// Names that the former views use until they are replaced.
export { CallError, call, oneAtATime, session as signedIn, signIn } from "./core/api.js";
import { may } from "./core/api.js";
export const mayControl = () => may("control");
export const seesPast = () => may("history");
export const seesGuests = () => may("guests");
export const ofLink = (name, ...below) => ["links", encodeURIComponent(name), ...below].join("/");
