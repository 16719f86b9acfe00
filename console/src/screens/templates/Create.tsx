import { createTemplate, EMPTY_TEMPLATE } from "../../lib/template-form";
import { strings } from "../../strings";
import { TemplatePage } from "./TemplatePage";

export default function CreateTemplate() {
  const text = strings.templates;
  return <TemplatePage title={text.create} submit={text.create} initial={EMPTY_TEMPLATE} isNew change={createTemplate} />;
}
