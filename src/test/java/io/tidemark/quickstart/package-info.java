@NullMarked
package io.tidemark.quickstart;

import org.jspecify.annotations.NullMarked;
