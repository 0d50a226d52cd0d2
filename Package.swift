// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PackageDescription

// The vector kernels are written on `SIMD16<Float>`. Without `-march` every lane becomes a library
// call (200 times slower), so the flag belongs here and a plain `swift build -c release` is fast.
// `LRA_ARCH=x86-64-v3` (or any value of `-march`) builds for another machine.
let architecture = ProcessInfo.processInfo.environment["LRA_ARCH"] ?? "native"

// Warnings are errors where `.ci/run` builds: the next compiler's new ones are nothing to a user.
let isStrict = ProcessInfo.processInfo.environment["LRA_STRICT"] != nil

let common: [SwiftSetting] =
  (isStrict ? [.treatAllWarnings(as: .error)] : []) + [
    .unsafeFlags(["-Xcc", "-march=\(architecture)", "-Xcc", "-mprefer-vector-width=512"]),
    .define("LRA_TUNED"),
  ]

let package = Package(
  name: "LongRangeArena",
  products: [
    .executable(name: "lra", targets: ["lra"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .target(name: "CShims"),
    .target(name: "CMPI"),
    .target(name: "Collective", dependencies: ["Base", "CMPI"], swiftSettings: common),
    .executableTarget(name: "WriteCommit", swiftSettings: common),
    .plugin(
      name: "SourceCommitPlugin", capability: .buildTool(), dependencies: ["WriteCommit"]),
    .target(name: "SourceCommit", swiftSettings: common, plugins: ["SourceCommitPlugin"]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "Base", dependencies: ["CShims", "CZlib"], swiftSettings: common),
    .target(
      name: "Tasks", dependencies: ["Base"], path: "Tasks",
      swiftSettings: common),
    .target(name: "Autodiff", dependencies: ["Base", "CShims"], swiftSettings: common),
    .target(name: "Models", dependencies: ["Autodiff", "Base"], swiftSettings: common),
    .target(
      name: "Machine", dependencies: ["Autodiff", "Base", "SourceCommit"], swiftSettings: common),
    .target(name: "Runs", dependencies: ["Base", "Machine", "Tasks"], swiftSettings: common),
    .target(
      name: "Training",
      dependencies: ["Autodiff", "Base", "Collective", "Machine", "Models", "Runs", "Tasks"],
      swiftSettings: common),
    .target(
      name: "Reports", dependencies: ["Base", "Machine", "Models", "Runs", "Tasks", "Training"],
      swiftSettings: common),
    .executableTarget(
      name: "lra",
      dependencies: [
        "Autodiff", "Base", "Collective", "Machine", "Models", "Reports", "Runs", "SourceCommit",
        "Tasks", "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: common),

    .target(
      name: "TestSupport", dependencies: ["Autodiff", "Base", "Models"], path: "Tests/Support",
      swiftSettings: common),
    .executableTarget(
      name: "lra-fuzz",
      dependencies: [
        "Base", "CZlib", "Machine", "Models", "Reports", "Runs", "Tasks", "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tests/Fuzz", swiftSettings: common),
    .testTarget(name: "BaseTests", dependencies: ["Base"], swiftSettings: common),
    .testTarget(
      name: "AutodiffTests", dependencies: ["Autodiff", "TestSupport"], swiftSettings: common),
    .testTarget(
      name: "ModelsTests", dependencies: ["Models", "TestSupport"], exclude: ["Fixtures"],
      swiftSettings: common),
    .testTarget(name: "TasksTests", dependencies: ["Tasks"], swiftSettings: common),
    .testTarget(
      name: "TrainingTests",
      dependencies: ["Collective", "Machine", "Runs", "Training", "TestSupport", "WriteCommit"],
      swiftSettings: common),
    .testTarget(
      name: "ReportsTests",
      dependencies: ["Base", "Machine", "Reports", "Runs", "Tasks", "Training"],
      swiftSettings: common),
    .testTarget(
      name: "CommandTests",
      dependencies: ["Base", "Machine", "Models", "Runs", "Tasks", "Training", "lra", "lra-fuzz"],
      swiftSettings: common),
  ],
  swiftLanguageModes: [.v6]
)

// `make test-checked` builds the engine and its tests alone.
if ProcessInfo.processInfo.environment["LRA_ENGINE_ONLY"] != nil {
  let engine = [
    "CShims", "CZlib", "Base", "Autodiff", "Models", "TestSupport", "AutodiffTests",
  ]
  package.targets.removeAll { !engine.contains($0.name) }
  (package.products, package.dependencies) = ([], [])
}
