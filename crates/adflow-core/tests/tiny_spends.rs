//! Arms whose best spend is almost nothing: the price must not be read off how they move.

use adflow_core::{Problem, ResponseCurves, Status};

#[test]
fn a_budget_a_hair_above_the_caps_has_a_price_that_proves_the_plan() {
    for hair in [1e-15, 1e-13, 1e-11, 1e-10, 1e-9, 1e-8, 1e-4] {
        let curves = ResponseCurves::concat(&[
            ResponseCurves::michaelis_menten(50.0, 4.0).unwrap(),
            ResponseCurves::hill(0.9, 1.1, 0.99).unwrap(),
            ResponseCurves::hill(0.8, 1.1, 0.98).unwrap(),
        ])
        .unwrap();
        let upper = [5.0, f64::INFINITY, f64::INFINITY];
        let plan = Problem::new(curves).budget(5.0 + hair).upper(upper).solve().unwrap();
        assert_eq!(plan.status, Status::Optimal, "{hair}: gap {:e}", plan.gap);
        assert!(plan.gap <= 1e-9 && plan.shadow_price > 0.0, "{hair}: price {}", plan.shadow_price);
        assert!(plan.verify().ok, "{hair}: {:?}", plan.verify().checks);
    }
}
