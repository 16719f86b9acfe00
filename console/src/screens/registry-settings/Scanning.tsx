import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { getScanningConfiguration } from "../../api/registry";
import { perform } from "../../api/perform";
import { Loading } from "../../app/Loading";
import { SCAN_TYPES, frequenciesOf, scanningChange, scanningForm, type ScanningForm } from "../../lib/scanning-form";
import { AsCommand } from "../../parts/AsCommand";
import { Failure } from "../../parts/Failure";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { Lines } from "../../parts/Lines";
import { SCANNING } from "./keys";

const text = strings.registrySettings.scanning;

export function Scanning() {
  const query = useQuery({ queryKey: SCANNING, queryFn: async () => scanningForm(await getScanningConfiguration()) });
  if (query.isPending) return <Loading />;
  if (query.error !== null) {
    return (
      <Container header={<Header variant="h2">{text.title}</Header>}>
        <Failure error={query.error} retry={() => void query.refetch()} />
      </Container>
    );
  }
  return <Form key={JSON.stringify(query.data)} saved={query.data} />;
}

function Form({ saved }: { saved: ScanningForm }) {
  const [form, setForm] = useState(saved);
  const change = scanningChange(form);
  const save = useAction(() => perform(change), { stale: [SCANNING], said: () => text.saved });
  return (
    <Container
      header={
        <Header variant="h2" description={text.hint} actions={<AsCommand changes={[change]} />}>
          {text.title}
        </Header>
      }
      footer={
        <Button loading={save.isRunning} onClick={() => save.run(undefined)}>
          {text.save}
        </Button>
      }
    >
      <SpaceBetween size="l">
        <FormField label={text.type}>
          <RadioGroup
            value={form.type}
            items={SCAN_TYPES.map((value) => ({ value, label: text.types[value] }))}
            onChange={({ detail }) => setForm({ ...form, type: detail.value === "ENHANCED" ? "ENHANCED" : "BASIC" })}
          />
        </FormField>
        {frequenciesOf(form.type).map((frequency) => (
          <Lines
            key={frequency}
            label={text[frequency]}
            hint={text.filters}
            values={form.filters[frequency]}
            onChange={(values) => setForm({ ...form, filters: { ...form.filters, [frequency]: values } })}
          />
        ))}
        {save.error === undefined ? null : <Failure error={save.error} />}
      </SpaceBetween>
    </Container>
  );
}
