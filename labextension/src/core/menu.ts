import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import { Menu } from '@lumino/widgets';

/** A command of a context menu with its arguments; null is a line. */
export type MenuItem = {
  command: string;
  args?: ReadonlyJSONObject;
} | null;

/** Open a context menu where the pointer is, or below what has the focus. */
export function openMenu(
  commands: CommandRegistry,
  items: MenuItem[],
  event: React.MouseEvent | React.KeyboardEvent
): void {
  event.preventDefault();
  event.stopPropagation();
  const menu = new Menu({ commands });
  for (const item of items) {
    menu.addItem(item ?? { type: 'separator' });
  }
  menu.aboutToClose.connect(() => {
    // The command runs after the menu has closed.
    setTimeout(() => menu.dispose(), 0);
  });
  const { left, bottom } = event.currentTarget.getBoundingClientRect();
  const pointer = 'clientX' in event;
  menu.open(
    pointer ? event.clientX : left + 24,
    pointer ? event.clientY : Math.min(bottom, window.innerHeight / 2)
  );
}
