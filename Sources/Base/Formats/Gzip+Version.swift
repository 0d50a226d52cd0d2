import CZlib

extension Gzip {
  /// The version of the zlib in use, as `1.2.13`.
  public static var libraryVersion: String { String(cString: zlibVersion()) }
}
