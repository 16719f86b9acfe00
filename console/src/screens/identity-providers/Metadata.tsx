import FileUpload from "@cloudscape-design/components/file-upload";
import FormField from "@cloudscape-design/components/form-field";
import { useState } from "react";
import { METADATA_LENGTH_MAX } from "../../lib/providers";
import { strings } from "../../strings";

interface Props {
  /** The file's text; empty where there is none. */
  onChange: (text: string) => void;
  error: string | undefined;
}

/** Chooses a metadata file. The page reads it; only its text is sent. */
export function Metadata({ onChange, error }: Props) {
  const text = strings.providers;
  const [files, setFiles] = useState<File[]>([]);
  const [isTooLarge, setIsTooLarge] = useState(false);
  const take = async (chosen: File[]) => {
    setFiles(chosen);
    const [file] = chosen;
    const isLarge = (file?.size ?? 0) > METADATA_LENGTH_MAX;
    setIsTooLarge(isLarge);
    onChange(file === undefined || isLarge ? "" : await file.text());
  };
  return (
    <FormField label={text.metadata} constraintText={text.metadataHint} errorText={isTooLarge ? text.tooLarge : error}>
      <FileUpload
        value={files}
        onChange={(event) => void take(event.detail.value)}
        accept=".xml"
        showFileSize
        i18nStrings={{
          dropzoneText: text.file.dropzone,
          uploadButtonText: text.file.upload,
          removeFileAriaLabel: text.file.remove,
          limitShowFewer: "",
          limitShowMore: "",
        }}
      />
    </FormField>
  );
}
