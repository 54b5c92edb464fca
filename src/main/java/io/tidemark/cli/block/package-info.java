/** {@code tidemark block}: index, diff, apply and verify, on plain files and block devices, with no server. */
@NullMarked
package io.tidemark.cli.block;

import org.jspecify.annotations.NullMarked;
