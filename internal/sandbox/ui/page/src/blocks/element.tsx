// Chooses how to draw an interactive element.
import { usePeople } from "../people.tsx";
import { Button, Feedback, IconButton, Overflow } from "./button.tsx";
import { Choices, DateInput, TextInput, type FieldProps } from "./inputs.tsx";
import { Select } from "./select.tsx";
import { localPicture } from "./pictures.ts";

export function ActionElement(p: FieldProps) {
  const { me } = usePeople();
  const { e, blockID } = p;
  if (e.visible_to_user_ids && !e.visible_to_user_ids.includes(me)) return null;
  switch (e.type) {
    case "button":
    case "workflow_button":
      return <Button blockID={blockID} e={e} />;
    case "icon_button":
      return <IconButton blockID={blockID} e={e} />;
    case "feedback_buttons":
      return <Feedback blockID={blockID} e={e} />;
    case "overflow":
      return <Overflow blockID={blockID} e={e} />;
    case "datepicker":
    case "timepicker":
    case "datetimepicker":
      return <DateInput {...p} />;
    case "checkboxes":
    case "radio_buttons":
      return <Choices {...p} />;
    case "plain_text_input":
    case "email_text_input":
    case "url_text_input":
    case "number_input":
      return <TextInput {...p} />;
    case "image":
      return <Picture e={e as unknown as { image_url?: string; alt_text?: string }} />;
    default:
      if (e.type.endsWith("_select")) return <Select {...p} />;
      return <span className="unsupported" data-testid="unsupported">unsupported element: {e.type}</span>;
  }
}

function Picture({ e }: { e: { image_url?: string; alt_text?: string } }) {
  return <img className="element-picture" src={localPicture(e.image_url ?? "")} alt={e.alt_text ?? ""} />;
}
