import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

// What a pusher wrote must stay text: the ways around React's text nodes are errors.
const unsafe = [
  {
    selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
    message: "Everything that is shown is text.",
  },
  {
    selector: "MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML)$/]",
    message: "Everything that is shown is text.",
  },
];

export default tseslint.config(
  { ignores: ["node_modules", "dist"] },
  {
    files: ["src/**/*.{ts,tsx}", "vite.config.ts"],
    extends: [...tseslint.configs.strictTypeChecked, reactHooks.configs.flat["recommended-latest"]],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "no-restricted-syntax": ["error", ...unsafe],
      "max-lines": ["error", { max: 400 }],
      "max-lines-per-function": ["error", { max: 200 }],
    },
  },
  {
    // Calls go through `src/api`, so that one place knows the clients, the credentials and the origin.
    files: ["src/**/*.{ts,tsx}"],
    ignores: ["src/api/**"],
    rules: {
      "no-restricted-globals": ["error", "fetch", "XMLHttpRequest", "WebSocket", "EventSource"],
      "@typescript-eslint/no-restricted-imports": [
        "error",
        { patterns: [{ group: ["@aws-sdk/*", "@smithy/*"], allowTypeImports: true, message: "Use src/api." }] },
      ],
    },
  },
);
