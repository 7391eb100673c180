import { GUESTS } from "./guest_files.ts";
import { guestTest } from "./guest_test_case.ts";

await guestTest(GUESTS.trixie);
