export { code_block, count_region_write, find_block, flush_code, invalidate_code, invalidate_code_range, jump_slot, note_code_runs, region_refused, want_region } from './blocks'
export { code_crossing } from './crossing'
export { decode_instruction } from './decode'
export { link_block } from './links'
