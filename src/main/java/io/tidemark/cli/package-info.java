/** The command line: a client of the HTTP API. Starts fast, so that it can be typed and scripted. */
@NullMarked
package io.tidemark.cli;

import org.jspecify.annotations.NullMarked;
