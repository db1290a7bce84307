/** The view library, bound once: components are functions, templates are tagged with `html`. */
import { h, render, Component, Fragment } from "../vendor/preact.js";
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "../vendor/preact-hooks.js";
import htm from "../vendor/htm.js";

export const html = htm.bind(h);
export { Component, Fragment, h, render, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState };
