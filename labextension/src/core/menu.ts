import { MenuSvg } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { Menu } from '@lumino/widgets';

/** A command of a context menu with its arguments, or a menu beside it; null is a line. */
export type MenuItem =
  | {
      command: string;
      args?: ReadonlyJSONObject;
    }
  | { label: string; items: MenuItem[] }
  | null;

/** Open a context menu where the pointer is, or below what has the focus. */
export function openMenu(
  commands: CommandRegistry,
  items: MenuItem[],
  event: React.MouseEvent | React.KeyboardEvent
): void {
  event.preventDefault();
  event.stopPropagation();
  const menu = made(commands, items);
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

function made(commands: CommandRegistry, items: MenuItem[]): Menu {
  const menu = new MenuSvg({ commands });
  for (const item of items) {
    if (item && 'items' in item) {
      const submenu = made(commands, item.items);
      submenu.title.label = item.label;
      menu.addItem({ type: 'submenu', submenu });
    } else {
      menu.addItem(item ?? { type: 'separator' });
    }
  }
  return menu;
}

/** An entry of a menu that is no command of JupyterLab; null is a line. */
export type MenuAction =
  | {
      label: string;
      run: () => void;
      /** Whether it is switched on. */
      on?: boolean;
      disabled?: boolean;
    }
  | { label: string; more: MenuAction[] }
  | null;

/** Open a menu of what only the page itself can do. */
export function openActions(
  actions: MenuAction[],
  event: React.MouseEvent | React.KeyboardEvent
): void {
  const commands = new CommandRegistry();
  openMenu(commands, itemsOf(actions, commands), event);
}

function itemsOf(actions: MenuAction[], commands: CommandRegistry): MenuItem[] {
  return actions.map(action => {
    if (!action) {
      return null;
    }
    if ('more' in action) {
      return { label: action.label, items: itemsOf(action.more, commands) };
    }
    const command = `action-${commands.listCommands().length}`;
    commands.addCommand(command, {
      label: action.label,
      describedBy: { args: null },
      isToggled: () => action.on ?? false,
      isToggleable: action.on !== undefined,
      isEnabled: () => !action.disabled,
      execute: action.run
    });
    return { command };
  });
}
