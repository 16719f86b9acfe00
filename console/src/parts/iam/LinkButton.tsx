import Button, { type ButtonProps } from "@cloudscape-design/components/button";
import type { ReactNode } from "react";
import { useHref, useNavigate } from "react-router";

interface Props {
  /** A path of the console, without `/console`. */
  to: string;
  variant?: ButtonProps.Variant;
  children: ReactNode;
}

/** A button that opens another page of the console. */
export function LinkButton({ to, variant = "normal", children }: Props) {
  const href = useHref(to);
  const navigate = useNavigate();
  return (
    <Button
      href={href}
      variant={variant}
      onFollow={(event) => {
        // Clicks with a modifier key are left to the browser, and do not come here.
        event.preventDefault();
        void navigate(to);
      }}
    >
      {children}
    </Button>
  );
}
