import Box from "@cloudscape-design/components/box";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { Loading } from "../../app/Loading";
import { templateForm, updateTemplate } from "../../lib/template-form";
import { Failure } from "../../parts/Failure";
import { Page } from "../../parts/Page";
import { strings } from "../../strings";
import { TemplatePage } from "./TemplatePage";
import { templateQuery } from "./queries";

export default function EditTemplate() {
  const text = strings.templates;
  const { prefix = "" } = useParams();
  const query = useQuery(templateQuery(prefix));
  const title = text.edit(prefix);
  if (query.data != null) {
    return (
      <TemplatePage
        key={prefix}
        title={title}
        submit={strings.iam.save}
        initial={templateForm(query.data)}
        isNew={false}
        change={updateTemplate}
      />
    );
  }
  return (
    <Page title={title} crumbs={[{ text: text.title, to: "/templates" }]}>
      {query.isPending ? <Loading /> : null}
      {query.error === null ? null : <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.data === null ? <Box>{text.missing}</Box> : null}
    </Page>
  );
}
