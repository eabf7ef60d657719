import { render } from "preact";
import { enter } from "./api";
import { App } from "./app";
import { startLive } from "./live";
import "./style.css";
import "./views/views.css";

const place = document.getElementById("page");
if (place) {
  await enter();
  startLive();
  render(<App />, place);
}
