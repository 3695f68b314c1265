import { signInForm as former } from "../sign_in.js";
export const signInForm = ({ onSignedIn }) => former(onSignedIn);
