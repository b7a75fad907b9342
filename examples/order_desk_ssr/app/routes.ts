import { index, route } from "@react-router/dev/routes";

export default [index("desk.tsx"), route("sign-in", "sign-in.tsx")];
