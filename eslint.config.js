// How the pages' scripts are read by ESLint; TypeScript reads them by tsconfig.json.
import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    linterOptions: {reportUnusedDisableDirectives: "error"},
    languageOptions: {globals: globals.browser},
    rules: {
      eqeqeq: "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error", // what a reader types is never script
      "no-shadow": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  {files: ["reports/static/script.js"], languageOptions: {sourceType: "script"}},
];
