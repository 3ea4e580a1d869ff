export const home = {
  title: 'Vitrine',
  tagline: 'Virtual machines that you can look into',
  create: 'Create a New Virtual Machine', createHint: 'From an installer disc, an existing disk or a kernel',
  open: 'Open a Virtual Machine', openHint: 'A folder that ends in .vitrine',
  demo: 'Start the Demo Guest', demoHint: 'A small system of our own that is ready in two seconds',
  recent: 'Recently used',
  noRecent: 'Virtual machines that you have used stand here.',
}
