import Link, { type LinkProps } from "@cloudscape-design/components/link";
import type { ReactNode } from "react";
import { useHref, useNavigate } from "react-router";

interface Props {
  /** A path of the console, without `/console`. */
  to: string;
  children: ReactNode;
  variant?: LinkProps.Variant;
  fontSize?: LinkProps.FontSize;
  ariaLabel?: string;
}

/** A link to another page of the console. */
export function LinkTo({ to, children, variant = "secondary", fontSize, ariaLabel }: Props) {
  const href = useHref(to);
  const navigate = useNavigate();
  return (
    <Link
      href={href}
      variant={variant}
      fontSize={fontSize}
      ariaLabel={ariaLabel}
      onFollow={(event) => {
        // Other buttons and keys open another tab, which the browser does.
        if (event.detail.external) return;
        event.preventDefault();
        void navigate(to);
      }}
    >
      {children}
    </Link>
  );
}
