/**
 * Cards can be dragged from column to column, besides the control that moves them.
 *
 * Knows the browser's drag and drop. Must not know what is dragged.
 */

const TYPE = "application/x-rhtmx-card";

/** Lets a handle drag an element that has `data-id`. */
export function allowDrag(handle: HTMLElement, element: HTMLElement): void {
  handle.draggable = true;
  handle.addEventListener("dragstart", (event) => {
    event.dataTransfer?.setData(TYPE, element.dataset.id ?? "");
    event.dataTransfer?.setDragImage(element, 20, 20);
  });
}

/** Calls `drop` with the id of what is dropped anywhere in a part of the page. */
export function acceptDrops(part: HTMLElement, drop: (id: string) => void): void {
  const over = (event: DragEvent, is: boolean) => {
    if (!event.dataTransfer?.types.includes(TYPE)) return;
    part.classList.toggle("over", is);
    event.preventDefault();
  };
  part.addEventListener("dragover", (event) => over(event, true));
  part.addEventListener("dragleave", (event) => over(event, false));
  part.addEventListener("drop", (event) => {
    over(event, false);
    const id = event.dataTransfer?.getData(TYPE);
    if (id) drop(id);
  });
}
