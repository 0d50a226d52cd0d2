// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The keys of the terminal, each read at once and not shown, until the terminal is restored.
///
/// Ctrl-C and Ctrl-Z are keys like others meanwhile, so that nothing leaves the terminal as it is.
struct Keyboard {
  private var before = termios()

  /// Takes the keys; nil where the input is no terminal, or that of another command in front, which
  /// would stop this one for touching it.
  init?() {
    let owner = tcgetpgrp(STDIN_FILENO)
    guard tcgetattr(STDIN_FILENO, &before) == 0, owner <= 0 || owner == getpgrp() else {
      return nil
    }
    var raw = before
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
    tcsetattr(STDIN_FILENO, TCSANOW, &raw)
  }

  /// Gives the keys back; those that nobody read are forgotten.
  func restore() {
    var before = before
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
  }

  /// Waits for a key.
  ///
  /// - Returns: whether one came that ends a command, or none can come any more.
  func asksToEnd(within milliseconds: Int32) -> Bool {
    var state = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    guard poll(&state, 1, milliseconds) > 0 else { return false }
    var key: UInt8 = 0
    return read(STDIN_FILENO, &key, 1) != 1 || Self.ends(key)
  }

  /// Whether a key ends a command: q, or Ctrl-C.
  static func ends(_ key: UInt8) -> Bool {
    [UInt8(ascii: "q"), UInt8(ascii: "Q"), 3].contains(key)
  }
}
