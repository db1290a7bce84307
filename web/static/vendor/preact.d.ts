// What our pages use of the library; the whole of its types would be larger than it is.
export function h(type: any, props?: any, ...children: any[]): any;
export function render(what: any, where: Element): void;
export const Fragment: any;
export class Component {
  constructor(props?: any);
  props: any;
  state: any;
  shouldComponentUpdate?(next: any): boolean;
  render(props: any): any;
}
